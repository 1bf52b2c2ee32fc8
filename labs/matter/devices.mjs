// A Matter device without a radio: a door lock or a thermostat, with faults, a bench and a log of its own.
//
//   node devices.mjs NAME FOLDER PORT DISCRIMINATOR
//
// The bench is a Unix socket in FOLDER: a line of JSON is an order, a line of JSON its answer. What the bolt
// really did is in `log`, and in a file that all locks share; nobody else writes either.
import { appendFileSync } from "node:fs";
import { createServer } from "node:net";
import { Environment, Logger, ServerNode, VendorId } from "@matter/main";
import { DoorLockServer } from "@matter/main/behaviors/door-lock";
import { FanControlServer } from "@matter/main/behaviors/fan-control";
import { PowerSourceServer } from "@matter/main/behaviors/power-source";
import { ThermostatServer } from "@matter/main/behaviors/thermostat";
import { DoorLock, FanControl, PowerSource, Thermostat } from "@matter/main/clusters";
import { DoorLockDevice } from "@matter/main/devices/door-lock";
import { ThermostatDevice } from "@matter/main/devices/thermostat";
import { Status, StatusResponseError } from "@matter/main/types";

const [name, folder, port, discriminator] = process.argv.slice(2);
Logger.level = "warn";
Environment.default.vars.set("storage.path", `${folder}/${name}`);

const { AlarmCode, LockOperationType, LockState, OperatingMode, OperationError, OperationSource } = DoorLock;
const PIN = 1;
const log = [];
let fault = "";

const later = (milliseconds, what) =>
    setTimeout(() => Promise.resolve().then(what).catch(error => console.error(error)), milliseconds);

const now = () => Date.now() * 1_000;

/** What the bolt did: it went there, or was told to and stayed where it was; and when it was told to. */
function did(moved, locked, asked = now()) {
    if (moved) log.push(locked ? "lock" : "unlock");
    const line = JSON.stringify({ at: now(), asked, device: name, moved, locked });
    appendFileSync(`${folder}/did.jsonl`, line + "\n");
}

/** What the bolt does, and what is told of it. `more` says by whom. */
function turn(lock, locked, more, asked = now()) {
    lock.state.lockState = locked ? LockState.Locked : LockState.Unlocked;
    did(true, locked, asked);
    if (more !== null) tellOperation(lock, locked, more);
}

function tellOperation(lock, locked, more) {
    const lockOperationType = locked ? LockOperationType.Lock : LockOperationType.Unlock;
    const told = { operationSource: OperationSource.Remote, userIndex: null, fabricIndex: null, sourceNode: null };
    lock.events.lockOperation.emit({ lockOperationType, ...told, credentials: null, ...more }, lock.context);
}

function refuse(lock, locked, operationError) {
    const lockOperationType = locked ? LockOperationType.Lock : LockOperationType.Unlock;
    const told = { operationSource: OperationSource.Remote, userIndex: null, fabricIndex: null, sourceNode: null };
    lock.events.lockOperationError.emit(
        { lockOperationType, ...told, operationError, credentials: null }, lock.context,
    );
    throw new StatusResponseError("refused", Status.Failure);
}

class LabLock extends DoorLockServer.with("PinCredential", "CredentialOverTheAirAccess", "User") {
    lockDoor(request) {
        return this.#carryOut(true, request);
    }

    unlockDoor(request) {
        return this.#carryOut(false, request);
    }

    #carryOut(locked, request) {
        if (fault !== "" && fault !== "motor") did(false, locked);
        if (this.state.operatingMode === OperatingMode.Privacy) throw new StatusResponseError("no", Status.Failure);
        if (fault === "reject") refuse(this, locked, OperationError.Restricted);
        if (fault === "flat") refuse(this, locked, OperationError.InsufficientBattery);
        if (fault === "jam") {
            this.events.doorLockAlarm.emit({ alarmCode: AlarmCode.LockJammed }, this.context);
            throw new StatusResponseError("jammed", Status.Failure);
        }
        if (fault === "lazy") return; // says that it did it, and does nothing
        if (fault === "motor" || fault === "jam_late") {
            // A motor takes its time: the command is accepted before the bolt has moved.
            const jams = fault === "jam_late", asked = now();
            this.state.lockState = LockState.NotFullyLocked;
            later(1_500, () => lockEndpoint.act(agent => {
                if (jams) agent.doorLock.events.doorLockAlarm.emit({ alarmCode: AlarmCode.LockJammed }, agent.context);
                else turn(agent.doorLock, locked, {}, asked);
            }));
            return;
        }
        // The checks of PINs are the library's own, and so is what it tells of the operation.
        const done = locked ? super.lockDoor(request) : super.unlockDoor(request);
        did(true, locked);
        return done;
    }
}

let lockEndpoint, thermostatEndpoint;

const node = await ServerNode.create({
    id: name,
    network: { port: Number(port) },
    commissioning: { passcode: 20202021, discriminator: Number(discriminator) },
    productDescription: { name, deviceType: (name === "hall" ? ThermostatDevice : DoorLockDevice).deviceType },
    basicInformation: {
        vendorName: "Lab", vendorId: VendorId(0xfff1), productName: name === "hall" ? "Warm One" : "Bolt One",
        productId: 0x8000, nodeLabel: name, serialNumber: `lab-${name}`, uniqueId: `lab-${name}`,
    },
});

if (name === "hall") {
    thermostatEndpoint = await node.add(
        ThermostatDevice.with(ThermostatServer.with("Heating", "Cooling", "AutoMode"), FanControlServer.with("Auto")),
        {
            id: "thermostat",
            thermostat: {
                localTemperature: 2100, externalMeasuredIndoorTemperature: 2100,
                systemMode: Thermostat.SystemMode.Off,
                controlSequenceOfOperation: Thermostat.ControlSequenceOfOperation.CoolingAndHeating,
                occupiedHeatingSetpoint: 2000, occupiedCoolingSetpoint: 2600, minSetpointDeadBand: 20,
                minHeatSetpointLimit: 700, maxHeatSetpointLimit: 3000,
                absMinHeatSetpointLimit: 700, absMaxHeatSetpointLimit: 3000,
                minCoolSetpointLimit: 1600, maxCoolSetpointLimit: 3200,
                absMinCoolSetpointLimit: 1600, absMaxCoolSetpointLimit: 3200,
            },
            fanControl: {
                fanMode: FanControl.FanMode.Auto, fanModeSequence: FanControl.FanModeSequence.OffLowMedHighAuto,
                percentSetting: 0, percentCurrent: 0,
            },
        },
    );
} else {
    lockEndpoint = await node.add(DoorLockDevice.with(LabLock, PowerSourceServer.with("Battery")), {
        id: "lock",
        doorLock: {
            lockState: LockState.Locked, lockType: DoorLock.LockType.DeadBolt, actuatorEnabled: true,
            operatingMode: OperatingMode.Normal, requirePinForRemoteOperation: false,
            numberOfTotalUsersSupported: 8, numberOfPinUsersSupported: 8, numberOfCredentialsSupportedPerUser: 5,
            minPinCodeLength: 4, maxPinCodeLength: 8, wrongCodeEntryLimit: 5, userCodeTemporaryDisableTime: 10,
            credentialRulesSupport: { single: true, dual: false, tri: false },
        },
        powerSource: {
            status: PowerSource.PowerSourceStatus.Active, order: 0, description: "Battery",
            batPercentRemaining: 174, batChargeLevel: PowerSource.BatChargeLevel.Ok, batReplacementNeeded: false,
            batReplaceability: PowerSource.BatReplaceability.UserReplaceable, endpointList: [],
        },
    });
}

const bytes = text => new TextEncoder().encode(text);
const text = data => new TextDecoder().decode(data);

function look() {
    if (name === "hall") {
        const { systemMode, occupiedHeatingSetpoint, occupiedCoolingSetpoint } = thermostatEndpoint.state.thermostat;
        const { fanMode } = thermostatEndpoint.state.fanControl;
        return { systemMode, heat: occupiedHeatingSetpoint, cool: occupiedCoolingSetpoint, fanMode };
    }
    return lockEndpoint.act(agent => {
        const auth = agent.doorLock.auth;
        const codes = auth.credentials.filter(each => each.credentialType === PIN)
            .map(each => [each.credentialIndex, text(auth.decrypt(each.credentialData))]);
        return {
            locked: agent.doorLock.state.lockState === LockState.Locked, log, codes: Object.fromEntries(codes),
        };
    });
}

const orders = {
    look,
    fault: ({ kind }) => { fault = kind; },
    turn: ({ locked, source, slot }) => lockEndpoint.act(agent => {
        const credentials = slot ? [{ credentialType: PIN, credentialIndex: slot }] : null;
        turn(agent.doorLock, locked, { operationSource: source, credentials });
    }),
    // A lock that does not say by whom.
    creep: ({ locked }) => lockEndpoint.act(agent => turn(agent.doorLock, locked, null)),
    deny: ({ error }) => lockEndpoint.act(agent => {
        const told = { userIndex: null, fabricIndex: null, sourceNode: null, credentials: null };
        agent.doorLock.events.lockOperationError.emit({
            lockOperationType: LockOperationType.Unlock, operationSource: OperationSource.Keypad,
            operationError: error, ...told,
        }, agent.context);
    }),
    plant: ({ slot, pin }) => lockEndpoint.act(agent => {
        const auth = agent.doorLock.auth;
        if (auth.credentials.some(each => each.credentialIndex === slot)) auth.removeCredential(PIN, slot);
        // Another controller has set it.
        auth.addCredential(PIN, slot, bytes(pin), 2);
    }),
    unplant: ({ slot }) => lockEndpoint.act(agent => agent.doorLock.auth.removeCredential(PIN, slot)),
    mode: ({ mode }) => lockEndpoint.set({ doorLock: { operatingMode: mode } }),
    wants_pin: ({ is_wanted }) => lockEndpoint.set({ doorLock: { requirePinForRemoteOperation: is_wanted } }),
    battery: ({ percent }) => lockEndpoint.set({ powerSource: { batPercentRemaining: percent * 2 } }),
    room: ({ celsius }) => thermostatEndpoint.set(
        { thermostat: { externalMeasuredIndoorTemperature: Math.round(celsius * 100) } },
    ),
    set: ({ heat }) => thermostatEndpoint.set({ thermostat: { occupiedHeatingSetpoint: heat } }),
    label: ({ label }) => node.set({ basicInformation: { nodeLabel: label } }),
};

await node.start();
createServer(bench => {
    let said = "";
    bench.on("error", () => {});
    bench.on("data", async data => {
        said += data;
        const end = said.indexOf("\n");
        if (end < 0) return;
        const { do: what, ...more } = JSON.parse(said.slice(0, end));
        let answer;
        try {
            answer = (await orders[what](more)) ?? {};
        } catch (error) {
            answer = { error: String(error.stack ?? error) };
        }
        bench.end(JSON.stringify(answer) + "\n");
    });
}).listen(`${folder}/${name}.sock`, () => {
    const { qrPairingCode } = node.state.commissioning.pairingCodes;
    console.log(JSON.stringify({ ready: name, code: qrPairingCode }));
});
