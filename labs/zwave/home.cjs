// The devices of the lab, as the mock radio plays them, and what can go wrong with them.
//   2  a lock that confirms by supervision, at once        4  a lock without supervision, with a motor of 1.5 s
//   3  a thermostat that heats and cools, with a fan       5  a lock as 2 is, whose frames are encrypted (S2)
// What a lock did is in its own log, a line each in the file $LAB_LOG, which outlives this process: so does its bolt.
"use strict"
const fs = require("node:fs")
const { createRequire } = require("node:module")
const inside = createRequire(require.resolve("zwave-js/package.json"))
const cc = inside("@zwave-js/cc")
const { CommandClasses: CC, Duration, SecurityClass } = inside("@zwave-js/core")
const { createMockZWaveRequestFrame, ccCaps } = require("@zwave-js/testing")

const LOCKED = 255
const [DOORS, SECURITY] = [6, 7]
const MOTOR_MS = 1_500

// The mock's side has no reader for this command: without one its air goes silent for good.
cc.ThermostatFanModeCCSet.from = (raw, context) =>
  new cc.ThermostatFanModeCCSet({ nodeId: context.sourceNodeId, mode: raw.payload[0] & 0x0f, off: !!(raw.payload[0] & 0x80) })

const raw = (node, ccId, ccCommand, bytes) =>
  new cc.CommandClass({ nodeId: node.controller.ownNodeId, ccId, ccCommand, payload: Uint8Array.from(bytes) })
const push = (node, command) => {
  const isSecure = node.capabilities.securityClasses?.size > 0
  const sent = isSecure ? cc.Security2CC.encapsulate(command, node.id, node.securityManagers) : command
  return node.sendToController(createMockZWaveRequestFrame(sent, { ackRequested: false }))
}
const notify = (node, notificationEvent, parameters, notificationType = DOORS) =>
  push(
    node,
    new cc.NotificationCCReport({
      nodeId: node.controller.ownNodeId,
      notificationType,
      notificationEvent,
      eventParameters: parameters && Uint8Array.from(parameters),
    }),
  )
const did = (node, did, facts) => {
  const line = { at: Date.now() * 1000, device: String(node.id), did, ...facts }
  if (process.env.LAB_LOG) fs.appendFileSync(process.env.LAB_LOG, `${JSON.stringify(line)}\n`)
}
const move = (node, mode, by, asked = Date.now() * 1000) => {
  node.state.set("DoorLock_currentMode", mode)
  did(node, "turn", { moved: true, locked: mode === LOCKED, by, asked })
}
const mode = (node) => node.state.get("DoorLock_currentMode") ?? LOCKED

function operationReport(node) {
  const [current, target] = [mode(node), node.state.get("moving")]
  return new cc.DoorLockCCOperationReport({
    nodeId: node.controller.ownNodeId,
    currentMode: current,
    targetMode: target ?? current,
    duration: new Duration(target === undefined ? 0 : 1, "seconds"),
    outsideHandlesCanOpenDoor: [false, false, false, false],
    insideHandlesCanOpenDoor: [true, true, true, true],
    doorStatus: "closed",
    boltStatus: current === LOCKED ? "locked" : "unlocked",
    latchStatus: current === LOCKED ? "closed" : "open",
  })
}

// First in line: what does not get through, and what is not answered.
const trouble = {
  handleCC: (controller, node) =>
    ["dead", "ack_only"].includes(node.state.get("fault")) ? { action: "stop" } : undefined,
}

const bolt = (travel) => ({
  handleCC(controller, node, received) {
    if (received instanceof cc.DoorLockCCOperationGet) return { action: "sendCC", cc: operationReport(node) }
    if (!(received instanceof cc.DoorLockCCOperationSet)) return undefined
    const fault = node.state.get("fault")
    if (fault === "reject") {
      did(node, "refuse", { moved: false, locked: received.mode === LOCKED })
      return { action: "fail" }
    }
    node.state.set("moving", received.mode)
    const asked = Date.now() * 1000
    setTimeout(async () => {
      node.state.delete("moving")
      if (fault === "jam") did(node, "jam", { moved: false, locked: received.mode === LOCKED })
      else move(node, received.mode, "radio", asked)
      if (fault === "silent") return
      await push(node, operationReport(node))
      await notify(node, fault === "jam" ? 11 : received.mode === LOCKED ? 3 : 4)
    }, travel)
    return fault === "jam" && !travel ? { action: "fail" } : { action: "ok", durationMs: travel }
  },
})

const battery = {
  handleCC: (controller, node, received) =>
    received instanceof cc.BatteryCCGet
      ? { action: "sendCC", cc: new cc.BatteryCCReport({ nodeId: controller.ownNodeId, level: node.state.get("battery") }) }
      : undefined,
}

// Unanswered, each kind of notification would cost the interview a second.
const idle = {
  handleCC: (controller, node, received) =>
    received instanceof cc.NotificationCCGet && received.notificationType !== undefined
      ? {
          action: "sendCC",
          cc: new cc.NotificationCCReport({
            nodeId: controller.ownNodeId,
            notificationType: received.notificationType,
            notificationEvent: 0,
          }),
        }
      : undefined,
}

const keypad = {
  handleCC(controller, node, received) {
    if (!(received instanceof cc.UserCodeCCSet)) return undefined
    if (node.state.get("fault") === "reject") return { action: "fail" }
    const isSet = received.userIdStatus !== 0
    for (let slot = 1; isSet && slot <= 8; slot++) {
      const held = node.state.get(`UserCode_userCode_${slot}`)
      if (held && slot !== received.userId && Buffer.from(held).equals(Buffer.from(received.userCode))) {
        setTimeout(() => notify(node, 15), 50)
        return { action: "fail" }
      }
    }
    setTimeout(() => notify(node, isSet ? 14 : 13, [received.userId]), 50)
    return undefined
  },
}

const climate = {
  handleCC(controller, node, received) {
    const say = (ccId, command, ...bytes) => ({ action: "sendCC", cc: raw(node, ccId, command, bytes) })
    const later = (ccId, command, value) => setTimeout(() => push(node, raw(node, ccId, command, [value()])), 50)
    const operating = () => {
      const warm = node.state.get("ThermostatSetpoint_setpoint_1") ?? 20
      return [1, 3].includes(node.state.get("ThermostatMode_mode")) && node.state.get("temperature") < warm ? 1 : 0
    }
    const fan = () => node.state.get("fan") ?? 0
    if (received instanceof cc.ThermostatOperatingStateCCGet) return say(CC["Thermostat Operating State"], 3, operating())
    if (received instanceof cc.ThermostatFanModeCCSupportedGet) return say(CC["Thermostat Fan Mode"], 5, 0b0100_0011)
    if (received instanceof cc.ThermostatFanModeCCGet) return say(CC["Thermostat Fan Mode"], 3, fan())
    if (received instanceof cc.ThermostatFanStateCCGet) return say(CC["Thermostat Fan State"], 3, fan() ? 1 : 0)
    if (received instanceof cc.ThermostatFanModeCCSet) {
      node.state.set("fan", received.mode)
      later(CC["Thermostat Fan State"], 3, () => (fan() ? 1 : 0))
      return { action: "ok" }
    }
    if (received instanceof cc.ThermostatModeCCSet) {
      later(CC["Thermostat Operating State"], 3, operating)
      return undefined
    }
    // The mock itself refuses every set point above the least one.
    if (received instanceof cc.ThermostatSetpointCCSet) {
      node.state.set(`ThermostatSetpoint_setpoint_${received.setpointType}`, received.value)
      node.state.set(`ThermostatSetpoint_scale_${received.setpointType}`, received.scale)
      later(CC["Thermostat Operating State"], 3, operating)
      return { action: "ok" }
    }
    return undefined
  },
}

const common = [
  { ccId: CC.Version, version: 3 },
  { ccId: CC["Z-Wave Plus Info"], version: 2 },
  { ccId: CC["Manufacturer Specific"], version: 2 },
]
const supervision = { ccId: CC.Supervision, version: 1 }
const lock = (id, travel, more, secure = false) => ({
  id,
  capabilities: {
    isListening: false,
    isFrequentListening: "1000ms",
    genericDeviceClass: 0x40,
    specificDeviceClass: 0x03,
    firmwareVersion: "1.3",
    ...(secure ? { supportsSecurity: true, securityClasses: new Set([SecurityClass.S2_AccessControl]) } : {}),
    commandClasses: [
      ...common,
      ...more,
      ...(secure ? [{ ccId: CC["Security 2"], version: 1 }] : []),
      ccCaps({ ccId: CC["Door Lock"], secure, version: 4, supportedOperationTypes: [1], supportedDoorLockModes: [0, LOCKED], autoRelockSupported: false }),
      ccCaps({ ccId: CC["User Code"], secure, version: 1, numUsers: 8 }),
      { ccId: CC.Battery, secure, version: 1 },
      ccCaps({ ccId: CC.Notification, secure, version: 8, supportsV1Alarm: false, notificationTypesAndEvents: { [DOORS]: [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16, 19], [SECURITY]: [4] } }),
    ],
  },
  behaviors: [trouble, bolt(travel), battery, idle, keypad],
})
const thermostat = {
  id: 3,
  capabilities: {
    isListening: true,
    genericDeviceClass: 0x08,
    specificDeviceClass: 0x06,
    firmwareVersion: "2.0",
    commandClasses: [
      ...common,
      supervision,
      ccCaps({ ccId: CC["Thermostat Mode"], version: 3, supportedModes: [0, 1, 2, 3] }),
      ccCaps({
        ccId: CC["Thermostat Setpoint"],
        version: 3,
        setpoints: {
          1: { minValue: 5, maxValue: 30, defaultValue: 20, scale: "°C" },
          2: { minValue: 15, maxValue: 35, defaultValue: 25, scale: "°C" },
        },
      }),
      { ccId: CC["Thermostat Fan Mode"], version: 1 },
      { ccId: CC["Thermostat Fan State"], version: 1 },
      { ccId: CC["Thermostat Operating State"], version: 1 },
      ccCaps({ ccId: CC["Multilevel Sensor"], version: 5, sensors: { 1: { supportedScales: [0] } }, getValue: () => 18.5 }),
    ],
  },
  behaviors: [trouble, climate],
}

// In degrees Fahrenheit, with a battery.
const american = {
  id: 6,
  capabilities: {
    ...thermostat.capabilities,
    commandClasses: [
      ...common,
      supervision,
      ccCaps({ ccId: CC["Thermostat Mode"], version: 2, supportedModes: [0, 1, 2] }),
      ccCaps({
        ccId: CC["Thermostat Setpoint"],
        version: 3,
        setpoints: {
          1: { minValue: 45, maxValue: 88, defaultValue: 68, scale: "°F" },
          2: { minValue: 60, maxValue: 95, defaultValue: 76, scale: "°F" },
        },
      }),
      { ccId: CC["Thermostat Fan Mode"], version: 1 },
      { ccId: CC["Thermostat Operating State"], version: 1 },
      { ccId: CC.Battery, version: 1 },
      ccCaps({ ccId: CC["Multilevel Sensor"], version: 5, sensors: { 1: { supportedScales: [1] } }, getValue: () => 64 }),
    ],
  },
  behaviors: [trouble, battery, climate],
}

const nodes = [lock(2, 0, [supervision]), thermostat, lock(4, MOTOR_MS, []), lock(5, 0, [supervision], true)]

// For recordings each says that it is a model that people can buy: by that Z-Wave JS knows its peculiarities, and
// treats it as it does theirs. What it answers is ours all the same.
const models = {
  2: { manufacturerId: 0x003b, productType: 0x6341, productId: 0x5044 }, // Schlage BE469
  3: { manufacturerId: 0x0039, productType: 0x0011, productId: 0x0008 }, // Honeywell TH6320ZW
  4: { manufacturerId: 0x003b, productType: 0x0001, productId: 0x0469 }, // Schlage BE469ZP
  5: { manufacturerId: 0x0129, productType: 0x8002, productId: 0xa570 }, // Yale YRD256-ZW3
  6: { manufacturerId: 0x014f, productType: 0x5442, productId: 0x5431 }, // GoControl GC-TBZ48
}
const modelled = (node) => ({ ...node, capabilities: { ...node.capabilities, ...models[node.id] } })

exports.nodes = process.env.LAB_MODELS ? [...nodes, american].map(modelled) : nodes

function lastMode(node) {
  if (!process.env.LAB_LOG || !fs.existsSync(process.env.LAB_LOG)) return LOCKED
  const lines = fs.readFileSync(process.env.LAB_LOG, "utf8").trim().split("\n").filter(Boolean).map(JSON.parse)
  const last = lines.findLast((line) => line.device === String(node.id) && line.moved)
  return !last || last.locked ? LOCKED : 0
}

exports.furnish = (node) => {
  node.state.set("DoorLock_currentMode", lastMode(node))
  node.state.set("battery", 87)
  node.state.set("temperature", node.id === american.id ? 64 : 18.5)
}

exports.control = async (path, node, query) => {
  const unlocks = query.get("dir") !== "lock"
  switch (path) {
    case "/fault":
      node.state.set("fault", query.get("kind"))
      node.autoAckControllerFrames = query.get("kind") !== "dead"
      return undefined
    case "/keypad":
    case "/manual":
      move(node, unlocks ? 0 : LOCKED, path.slice(1))
      await push(node, operationReport(node))
      if (path === "/manual") return void (await notify(node, unlocks ? 2 : 1))
      return void (await notify(node, unlocks ? 6 : 5, [0x63, 3, Number(query.get("user")), 1]))
    case "/notify":
      return void (await notify(node, Number(query.get("event")), undefined, Number(query.get("type") ?? DOORS)))
    case "/seedcode":
      node.state.set(`UserCode_userCode_${query.get("user")}`, query.get("pin"))
      node.state.set(`UserCode_userIdStatus_${query.get("user")}`, 1)
      return undefined
    case "/battery":
      node.state.set("battery", Number(query.get("level")))
      return void (await push(node, new cc.BatteryCCReport({ nodeId: node.controller.ownNodeId, level: Number(query.get("level")) })))
    case "/state":
      return Object.fromEntries(
        [...node.state]
          .filter(([, value]) => typeof value !== "object" || value instanceof Uint8Array)
          .map(([name, value]) => [name, value instanceof Uint8Array ? Buffer.from(value).toString() : value]),
      )
    default:
      throw new Error(`no ${path}`)
  }
}
