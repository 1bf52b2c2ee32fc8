// One process: a mock radio with four nodes, the real Z-Wave JS driver and the real server before it.
// node stack.cjs --port N --control N --cache DIR     everything on 127.0.0.1; {"ready":true} when all nodes are.
"use strict"
const http = require("node:http")
const { Driver } = require("zwave-js")
const { createDefaultMockControllerBehaviors, createDefaultMockNodeBehaviors } = require("zwave-js/Testing")
const { MockController, MockNode } = require("@zwave-js/testing")
const { MockPort } = require("@zwave-js/serial/mock")
const { ZwavejsServer } = require("@zwave-js/server")
const { nodes, furnish, control } = require("./home.cjs")

const option = (name) => process.argv[process.argv.indexOf(`--${name}`) + 1]
const say = (what) => console.log(JSON.stringify(what))
// The network's keys: the driver and the mock radio must have the same.
const key = (byte) => Buffer.alloc(16, byte)
const securityKeys = { S0_Legacy: key(1), S2_Unauthenticated: key(2), S2_Authenticated: key(3), S2_AccessControl: key(4) }

async function main() {
  const port = new MockPort()
  let radio
  const driver = new Driver(port.factory(), {
    securityKeys,
    storage: { cacheDir: option("cache") },
    logConfig: { enabled: false },
    // As the documents ask a hub to be run: no value is set before a device has said it, and no PIN is lost.
    emitValueUpdateAfterSetValue: true,
    disableOptimisticValueUpdate: true,
    interview: { queryAllUserCodes: true },
    testingHooks: {
      skipFirmwareIdentification: true,
      onSerialPortOpen: async (serial) => {
        const controller = await MockController.create({ ownNodeId: 1, homeId: 0xdeadbeef, mockPort: port, serial, securityKeys })
        controller.defineBehavior(...createDefaultMockControllerBehaviors())
        radio = new Map()
        for (const each of nodes) {
          const node = await MockNode.create({ id: each.id, capabilities: each.capabilities, controller })
          // What is defined later is asked first.
          node.defineBehavior(...createDefaultMockNodeBehaviors())
          node.defineBehavior(...each.behaviors)
          controller.addNode(node)
          furnish(node)
          radio.set(each.id, node)
        }
        // The mock keeps every frame, for tests that look at them; nobody does here.
        setInterval(() => {
          controller.clearReceivedHostMessages()
          for (const node of radio.values()) {
            node.clearReceivedControllerFrames()
            node.clearSentControllerFrames()
          }
        }, 10_000).unref()
      },
    },
  })
  driver.on("error", (problem) => say({ problem: problem.message }))
  driver.once("all nodes ready", () => say({ ready: true }))
  driver.once("driver ready", async () => {
    const quiet = { debug() {}, info() {}, warn() {}, error: (text) => say({ problem: String(text) }) }
    const server = new ZwavejsServer(driver, {
      port: Number(option("port")),
      host: "127.0.0.1",
      enableDNSServiceDiscovery: false,
      logger: quiet,
    })
    await server.start(true)
  })
  http
    .createServer(async (request, response) => {
      const url = new URL(request.url, "http://lab")
      try {
        const node = radio.get(Number(url.searchParams.get("node")))
        response.end(JSON.stringify((await control(url.pathname, node, url.searchParams)) ?? {}))
      } catch (problem) {
        response.statusCode = 500
        response.end(String(problem.stack))
      }
    })
    .listen(Number(option("control")), "127.0.0.1")
  await driver.start()
}

main().catch((problem) => {
  console.error(problem)
  process.exit(1)
})
