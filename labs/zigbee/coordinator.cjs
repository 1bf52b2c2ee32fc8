// A Zigbee network without a radio, for the real zigbee2mqtt: loaded with `node --require` before it, this takes the
// place of the program's radio drivers. Its devices answer real Zigbee frames as devices that people can buy do, and
// misbehave on demand: JSON lines on the socket $LAB_SOCKET, one answer each (see `orders` below). What they did is in
// a log of their own as well, a line each in the file $LAB_LOG, which outlives this process: so do their bolts.
"use strict";
const fs = require("node:fs");
const net = require("node:net");
const {Adapter} = require("zigbee-herdsman/dist/adapter/adapter.js");
const Zcl = require("zigbee-herdsman/dist/zspec/zcl");
const Zdo = require("zigbee-herdsman/dist/zspec/zdo");

const COORDINATOR = "0x00124b00000000ff";
const LOCK = "closuresDoorLock";
const HOME_AUTOMATION = 0x0104;
const UNSUPPORTED_ATTRIBUTE = 0x86;
const NOT_AUTHORIZED = 0x7e;
const NOT_FOUND = 0x8b;
// A frame that gets no answer fails after this long. The program itself gives each 10 s.
const GIVES_UP_AFTER = 700;
const REPORTS_AFTER = 5;
const {LAB_MODELS} = process.env;
const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const basic = (modelId, manufacturerName) => ({
    modelId, manufacturerName, powerSource: 3, zclVersion: 3, appVersion: 1, stackVersion: 1, hwVersion: 1,
    dateCode: "20240101", swBuildId: "1.0",
});

class Device {
    constructor(network, inputs, attributes) {
        // What is wrong with it: see `orders.fault`.
        Object.assign(this, {fault: null, log: [], joined: true, endpoint: 1, inputs, attributes}, network);
    }
    did(what, facts) {
        const line = {at: Date.now() * 1000, did: what, ...facts};
        this.log.push(line);
        note(this, line);
    }
}
const nameOf = (device) => Object.keys(devices).find((name) => devices[name] === device);
const note = (device, line) => fs.appendFileSync(process.env.LAB_LOG, `${JSON.stringify({device: nameOf(device), ...line})}\n`);

const lock = (network, model = ["YRD226 TSDB", "Yale"]) => Object.assign(
    new Device({type: 2, manufacturer: 0x101d, kind: 0x000a, ...network}, [0x0000, 0x0001, 0x0003, 0x0101], {
        genBasic: basic(...model),
        genPowerCfg: {batteryPercentageRemaining: 160},
        [LOCK]: {
            lockState: 1, lockType: 0, actuatorEnabled: 1, autoRelockTime: 0, soundVolume: 1,
            maxPinLen: 8, minPinLen: 4, numOfPinUsersSupported: 250, operatingMode: 0,
        },
    }),
    {pins: {}, travel: 0},
);

const thermostat = (network, model = ["Zen-01", "Zen Within"]) => new Device(
    {type: 1, manufacturer: 0x1158, kind: 0x0301, ...network}, [0x0000, 0x0001, 0x0003, 0x0201, 0x0202, 0x0204], {
        genBasic: basic(...model),
        genPowerCfg: {batteryVoltage: 58},
        hvacThermostat: {
            localTemp: 2100, occupiedHeatingSetpoint: 2000, occupiedCoolingSetpoint: 2600, systemMode: 4,
            runningState: 0, ctrlSeqeOfOper: 4, localTemperatureCalibration: 0,
        },
        hvacFanCtrl: {fanMode: 5},
        hvacUserInterfaceCfg: {keypadLockout: 0},
    },
);

const devices = {
    front_door: lock({ieee: "0x00124b0000000001", nwk: 0x1001}),
    hall: thermostat({ieee: "0x00124b0000000002", nwk: 0x1002}),
    back_door: lock({ieee: "0x00124b0000000003", nwk: 0x1003}, LAB_MODELS ? ["YRD256 TSDB", "Yale"] : undefined),
    // Not there until it joins.
    side_door: lock({ieee: "0x00124b0000000004", nwk: 0x1004, joined: false}),
    // For recordings: by what they say that they are, zigbee2mqtt knows how to deal with each.
    ...(LAB_MODELS ? {
        cellar: lock({ieee: "0x00124b0000000005", nwk: 0x1005}, ["BE468", "Schlage"]),
        attic: thermostat({ieee: "0x00124b0000000006", nwk: 0x1006}, ["3157100", "Centralite"]),
    } : {}),
};
const at = (nwk) => Object.values(devices).find((device) => device.nwk === nwk);

class Coordinator extends Adapter {
    constructor(...settings) {
        super(...settings);
        this.hasZdoMessageOverhead = false;
        this.manufacturerID = Zcl.ManufacturerCode.RESERVED_10;
        this.sequence = 0;
        this.underWay = new Map();
    }
    async start() {
        remember();
        listen(this);
        return "resumed";
    }
    async stop() {}
    async reset() {}
    async addInstallCode() {}
    async setChannelInterPAN() {}
    async restoreChannelInterPAN() {}
    async sendZclFrameToGroup() {}
    async sendZclFrameToAll() {}
    async sendZclFrameInterPANToIeeeAddr() {}
    async sendZclFrameInterPANBroadcast() {
        throw new Error("There is nobody to hear it.");
    }
    async getCoordinatorIEEE() {
        return COORDINATOR;
    }
    async getCoordinatorVersion() {
        return {type: "Lab", meta: {revision: 1}};
    }
    async supportsBackup() {
        return false;
    }
    async backup() {
        throw new Error("There is nothing to back up.");
    }
    async getNetworkParameters() {
        return {
            panID: this.networkOptions.panID, extendedPanID: "0xdddddddddddddddd",
            channel: this.networkOptions.channelList[0], nwkUpdateID: 0,
        };
    }
    waitFor() {
        return {promise: new Promise(() => {}), cancel() {}};
    }
    // Whoever may join does.
    async permitJoin(seconds) {
        if (seconds > 0) {
            for (const each of Object.values(devices)) if (each.joined) setTimeout(() => this.join(each), 50);
        }
    }
    join(device) {
        device.joined = true;
        this.emit("deviceJoined", {networkAddress: device.nwk, ieeeAddr: device.ieee});
    }

    async sendZdo(ieee, nwk, cluster, payload, disableResponse) {
        if (nwk >= 0xfff8) return undefined;
        const device = nwk === 0
            ? {nwk: 0, endpoint: 1, type: 0, manufacturer: 0, inputs: [], kind: 5, joined: true}
            : at(nwk);
        if (!device?.joined || device.fault?.kind === "unreachable") {
            if (disableResponse) return undefined;
            await later(GIVES_UP_AFTER);
            throw new Error(`No answer of ${ieee}`);
        }
        const answer = zdoAnswer(device, cluster);
        return disableResponse ? undefined : answer;
    }

    // As real radios do: one frame to a device at a time, those to others beside it.
    sendZclFrameToEndpoint(ieee, nwk, endpoint, frame) {
        const before = this.underWay.get(nwk) ?? Promise.resolve();
        const sent = before.catch(() => {}).then(() => this.sendFrame(nwk, endpoint, frame));
        this.underWay.set(nwk, sent);
        return sent;
    }

    async sendFrame(nwk, endpoint, frame) {
        const device = at(nwk);
        const fault = device?.fault?.kind;
        if (!device?.joined || fault === "unreachable") {
            await later(GIVES_UP_AFTER);
            throw new Error(`Delivery failed for '${nwk}'.`);
        }
        if (device.fault?.milliseconds) await later(device.fault.milliseconds);
        const isDumb = fault === "silent" || (fault === "says_no_codes" && frame.command.name === "getPinCode");
        const answer = isDumb ? undefined : this.answer(device, frame);
        if (answer === undefined) {
            await later(GIVES_UP_AFTER);
            throw new Error(`Timeout - ${nwk} - ${endpoint} - after ${GIVES_UP_AFTER}ms`);
        }
        if (fault === "ack_lost" && frame.header.frameControl.frameType === Zcl.FrameType.SPECIFIC) {
            await later(GIVES_UP_AFTER);
            throw new Error(`Delivery failed for '${nwk}'.`);
        }
        return this.receive(device, answer);
    }

    answer(device, frame) {
        const {name: command} = frame.command;
        const {name: cluster} = frame.cluster;
        const sequence = frame.header.transactionSequenceNumber;
        const global = (reply, payload) => this.frame(Zcl.FrameType.GLOBAL, reply, cluster, payload, sequence);
        if (frame.header.frameControl.frameType !== Zcl.FrameType.GLOBAL) {
            if (cluster === LOCK) return this.lockAnswer(device, command, frame.payload, sequence);
        } else if (command === "read") {
            return global("readRsp", frame.payload.map(({attrId}) => {
                const attribute = attributeOf(cluster, attrId);
                const attrData = attribute && device.attributes[cluster]?.[attribute.name];
                if (attrData === undefined) return {attrId, status: UNSUPPORTED_ATTRIBUTE};
                return {attrId, status: 0, dataType: attribute.type, attrData};
            }));
        } else if (command === "write") {
            if (device.fault?.kind === "refuse") return global("writeRsp", [{status: NOT_AUTHORIZED, attrId: frame.payload[0].attrId}]);
            const names = [];
            for (const {attrId, attrData} of frame.payload) {
                const attribute = attributeOf(cluster, attrId);
                if (!attribute) continue;
                names.push(attribute.name);
                // A device that ignores what it is told says thank you all the same.
                if (device.fault?.kind !== "ignore") (device.attributes[cluster] ??= {})[attribute.name] = attrData;
            }
            device.did("write", {cluster, names});
            if (device.fault?.kind !== "mute") setTimeout(() => this.report(device, cluster, ...names), REPORTS_AFTER);
            return global("writeRsp", [{status: 0}]);
        } else if (command === "configReport") {
            return global("configReportRsp", [{status: 0}]);
        }
        return global("defaultRsp", {cmdId: frame.command.ID, statusCode: 0});
    }

    lockAnswer(device, command, payload, sequence) {
        const reply = (facts) => this.frame(Zcl.FrameType.SPECIFIC, `${command}Rsp`, LOCK, facts, sequence);
        const state = device.attributes[LOCK];
        const fault = device.fault?.kind;
        if (command === "lockDoor" || command === "unlockDoor") {
            const locked = command === "lockDoor";
            // Status 1 reaches nobody: zigbee2mqtt does not look at it.
            if (fault === "jam" || state.operatingMode === 2 || fault === "refuse") {
                device.did(command, {moved: false, locked: state.lockState === 1});
                return reply({status: 1});
            }
            if (fault === "ack_only") {
                device.did(command, {moved: false, locked: state.lockState === 1});
                return reply({status: 0});
            }
            setTimeout(() => this.turn(device, locked, 1, 0), device.travel);
            return reply({status: 0});
        }
        const id = payload.userid;
        if (command === "getPinCode") {
            const user = device.pins[id];
            return reply({
                userid: id, userstatus: user?.status ?? 0, usertype: user ? 0 : 0xff,
                pincodevalue: Buffer.from(user?.pin ?? ""),
            });
        }
        if (fault === "refuse") return reply({status: 1});
        if (command === "setPinCode") {
            const pin = Buffer.from(payload.pincodevalue).toString();
            if (fault !== "ignore") device.pins[id] = {status: payload.userstatus, pin};
            device.did("setPinCode", {slot: id});
            return reply({status: 0});
        }
        if (command === "clearPinCode") {
            if (fault !== "ignore") delete device.pins[id];
            device.did("clearPinCode", {slot: id});
            return reply({status: 0});
        }
        return this.frame(Zcl.FrameType.GLOBAL, "defaultRsp", LOCK, {cmdId: 0, statusCode: NOT_FOUND}, sequence);
    }

    // The bolt moves: by whom (0 keypad, 1 radio, 2 hand), and with whose code.
    turn(device, locked, source, user, code) {
        const lockState = locked ? 1 : 2;
        device.attributes[LOCK].lockState = lockState;
        device.did("turn", {moved: true, locked, source, user, lockState});
        if (device.fault?.kind === "mute") return;
        const tell = () => this.happened(device, code ?? (locked ? 1 : 2), source, user);
        const report = () => this.report(device, LOCK, "lockState");
        // Both orders are seen at real locks.
        const [first, second] = device.says_event_first ? [tell, report] : [report, tell];
        setTimeout(() => { first(); setTimeout(second, REPORTS_AFTER); }, REPORTS_AFTER);
    }
    happened(device, opereventcode, opereventsrc, userid) {
        this.receive(device, this.frame(Zcl.FrameType.SPECIFIC, "operationEventNotification", LOCK, {
            opereventsrc, opereventcode, userid, pin: 0, zigbeelocaltime: 0, data: "",
        }));
    }
    programmed(device, programeventcode, userid) {
        this.receive(device, this.frame(Zcl.FrameType.SPECIFIC, "programmingEventNotification", LOCK, {
            programeventsrc: 0, programeventcode, userid, pin: 0, usertype: 0, userstatus: 1,
            zigbeelocaltime: 0, data: "",
        }));
    }
    report(device, cluster, ...names) {
        this.receive(device, this.frame(Zcl.FrameType.GLOBAL, "report", cluster, names.map((name) => {
            const attribute = attributeOf(cluster, name);
            return {attrId: attribute.ID, dataType: attribute.type, attrData: device.attributes[cluster][name]};
        })));
    }
    frame(type, command, cluster, payload, sequence) {
        this.sequence = (this.sequence + 1) & 0xff;
        return Zcl.Frame.create(
            type, Zcl.Direction.SERVER_TO_CLIENT, true, undefined, sequence ?? this.sequence, command, cluster, payload, {},
        );
    }
    receive(device, frame) {
        const data = frame.toBuffer();
        const heard = {
            clusterID: frame.cluster.ID, address: device.nwk, header: Zcl.Header.fromBuffer(data), data,
            endpoint: device.endpoint, linkquality: 200, groupID: 0, wasBroadcast: false, destinationEndpoint: 1,
        };
        this.emit("zclPayload", heard);
        return heard;
    }
}

function attributeOf(cluster, key) {
    const known = Zcl.Utils.getCluster(cluster, undefined, {}).attributes;
    return Object.values(known).find(({ID, name}) => ID === key || name === key);
}

function zdoAnswer(device, cluster) {
    const {nwk: nwkAddress, endpoint} = device;
    switch (cluster) {
        case Zdo.ClusterId.NODE_DESCRIPTOR_REQUEST:
            return [0, {
                nwkAddress, logicalType: device.type, fragmentationSupported: false, apsFlags: 0, frequencyBand: 8,
                capabilities: {
                    alternatePANCoordinator: 0, deviceType: device.type === 1 ? 1 : 0, powerSource: 1, rxOnWhenIdle: 1,
                    reserved1: 0, reserved2: 0, securityCapability: 0, allocateAddress: 1,
                },
                manufacturerCode: device.manufacturer, maxBufSize: 82, maxIncTxSize: 255,
                serverMask: {stackComplianceRevision: 23}, maxOutTxSize: 255, deprecated1: 0, tlvs: [],
            }];
        case Zdo.ClusterId.ACTIVE_ENDPOINTS_REQUEST:
            return [0, {nwkAddress, endpointList: [endpoint]}];
        case Zdo.ClusterId.SIMPLE_DESCRIPTOR_REQUEST:
            return [0, {
                nwkAddress, length: 8, endpoint, profileId: HOME_AUTOMATION, deviceId: device.kind, deviceVersion: 1,
                inClusterList: device.inputs, outClusterList: [],
            }];
        case Zdo.ClusterId.LQI_TABLE_REQUEST:
            return [0, {neighborTableEntries: 0, startIndex: 0, entryList: []}];
        case Zdo.ClusterId.LEAVE_REQUEST:
            device.joined = false;
            return [0, undefined];
        default:
            return [0, undefined];
    }
}

// What the test bench can do: each takes (coordinator, device, order) and its result is the answer.
const orders = {
    // kinds: unreachable, silent, jam, refuse, ack_only, ack_lost, ignore, mute, says_no_codes, slow (with milliseconds); null heals.
    fault: (_, device, {kind, milliseconds = 0}) => { device.fault = kind && {kind, milliseconds}; },
    set: (_, device, {cluster, values}) => {
        Object.assign(device.attributes[cluster], values);
        if ("lockState" in values) note(device, {at: Date.now() * 1000, did: "set", lockState: values.lockState});
    },
    behave: (_, device, {values}) => { Object.assign(device, values); },
    report: (coordinator, device, {cluster, names}) => coordinator.report(device, cluster, ...names),
    turn: (coordinator, device, {locked, source, user = 0, code}) => coordinator.turn(device, locked, source, user, code),
    happened: (coordinator, device, {code, source, user = 0}) => coordinator.happened(device, code, source, user),
    seed_pin: (_, device, {slot, pin}) => { device.pins[slot] = {status: 1, pin}; },
    touch_pin: (coordinator, device, {slot, pin}) => {
        if (pin) device.pins[slot] = {status: 1, pin};
        else delete device.pins[slot];
        coordinator.programmed(device, pin ? 2 : 3, slot);
    },
    join: (coordinator, device) => coordinator.join(device),
    leave: (_, device) => { device.joined = false; },
    heal: () => {
        for (const device of Object.values(devices)) device.fault = null;
    },
    // What it is, and what it did since it was last asked.
    look: (_, device) => ({
        pins: device.pins, attributes: device.attributes, log: device.log.splice(0), joined: device.joined,
    }),
};

// Where each bolt was when this ended last.
function remember() {
    if (!fs.existsSync(process.env.LAB_LOG)) return;
    for (const line of fs.readFileSync(process.env.LAB_LOG, "utf8").trim().split("\n").filter(Boolean).map(JSON.parse)) {
        if ("lockState" in line) devices[line.device].attributes[LOCK].lockState = line.lockState;
    }
}

function listen(coordinator) {
    const path = process.env.LAB_SOCKET;
    fs.rmSync(path, {force: true});
    net.createServer((bench) => {
        let pending = "";
        bench.on("error", () => {});
        bench.on("data", (data) => {
            const lines = (pending + data).split("\n");
            pending = lines.pop();
            for (const line of lines) {
                const order = JSON.parse(line);
                const answer = orders[order.do](coordinator, devices[order.device], order) ?? {};
                bench.write(`${JSON.stringify(answer)}\n`);
            }
        });
    }).listen(path);
}

Adapter.create = async (...settings) => new Coordinator(...settings);
