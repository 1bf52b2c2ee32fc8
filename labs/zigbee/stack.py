"""The real zigbee2mqtt with a network that needs no radio, and a real broker: started, broken, stopped.

``coordinator.cjs`` has the devices. What they did is in their own log, which no part of thumbturn writes.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import aiomqtt

HERE = Path(__file__).parent
BASE = "zigbee2mqtt"
NODE = HERE / "node_modules/.bin/node"
#: Devices that are in the network from the start.
NAMES = ("front_door", "hall", "back_door")
_READY_WITHIN = 60


def why_not() -> str | None:
    """Why this machine cannot run it; ``None`` if it can. A lab that is missing is skipped with this."""
    if shutil.which("npm") is None:
        return "npm is missing: scripts/node.sh installs it"
    if _mosquitto() is None:
        return "mosquitto is missing: scripts/mosquitto.sh installs it"
    if not NODE.exists():
        return "its packages are missing: run npm ci in labs/zigbee"
    return None


def _mosquitto() -> str | None:
    # Debian puts it where only root looks.
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class ZigbeeStack:
    """One broker and one zigbee2mqtt, with what they write in a folder of their own."""

    def __init__(self, *, models: bool = False) -> None:
        """With ``models`` its devices differ, as those that people can buy (``labs/recording.py``)."""
        self._more = {"LAB_MODELS": "1"} if models else {}
        self._names = (*NAMES, "cellar", "attic") if models else NAMES
        self.folder = Path(tempfile.mkdtemp(prefix="zigbee-lab-"))
        self.port = _free_port()
        self.address = f"mqtt://127.0.0.1:{self.port}"
        #: What the devices did, by their own account: a line of JSON each.
        self.log = self.folder / "devices.jsonl"
        self._broker: subprocess.Popen[bytes] | None = None
        self._hub: subprocess.Popen[bytes] | None = None
        data = self.folder / "data"
        data.mkdir()
        configuration = (HERE / "configuration.yaml").read_text().replace("%PORT%", str(self.port))
        if models:
            configuration += "".join(
                f'  "0x00124b000000000{number}":\n    friendly_name: {name}\n'
                for number, name in ((5, "cellar"), (6, "attic"))
            )
        (data / "configuration.yaml").write_text(configuration)
        (self.folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
        )

    def start(self) -> None:
        """Return when every device has joined and was interviewed."""
        try:
            self.start_broker()
            self.start_hub()
            asyncio.run(self._let_everybody_join())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Leave nothing behind, neither a process nor a file."""
        self.stop_hub()
        self.stop_broker()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_broker(self) -> None:
        """The broker runs, and takes connections."""
        self._broker = self._run([_mosquitto() or "mosquitto", "-c", "mosquitto.conf"], "broker", {})
        for _ in range(200):
            with suppress(OSError), closing(socket.create_connection(("127.0.0.1", self.port), 0.2)):
                return
            time.sleep(0.02)
        raise TimeoutError(self.said())

    def stop_broker(self) -> None:
        """The broker is gone, and with it what it retained."""
        self._broker = _ended(self._broker)

    def start_hub(self) -> None:
        """zigbee2mqtt is on its way up."""
        (self.folder / "bench.sock").unlink(missing_ok=True)
        environment = {
            "ZIGBEE2MQTT_DATA": str(self.folder / "data"),
            "LAB_SOCKET": str(self.folder / "bench.sock"),
            "LAB_LOG": str(self.log),
            **self._more,
            # It would ask git for its own version, in this very checkout.
            "GIT_DIR": "/nonexistent",
        }
        program = ["--require", "./coordinator.cjs", "node_modules/zigbee2mqtt/cli.js"]
        self._hub = self._run([str(NODE), *program], "hub", environment, HERE)

    def stop_hub(self, *, at_once: bool = False) -> None:
        """zigbee2mqtt is gone: after it has said so, or ``at_once``, so that the broker must."""
        self._hub = _ended(self._hub, at_once=at_once)

    def order(self, do: str, device: str = "", **more: Any) -> dict[str, Any]:
        """Have the network do something: ``orders`` of ``coordinator.cjs``."""
        with closing(socket.socket(socket.AF_UNIX)) as bench:
            bench.settimeout(10)
            bench.connect(str(self.folder / "bench.sock"))
            bench.sendall(json.dumps({"do": do, "device": device, **more}).encode() + b"\n")
            return json.loads(bench.makefile().readline())  # type: ignore[no-any-return]

    def said(self) -> str:
        """The last that both programs said, for a failing test."""
        lines = []
        for log in self.folder.glob("*.log"):
            lines += [f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-30:]]
        return "\n".join(lines)

    async def _let_everybody_join(self) -> None:
        try:
            async with asyncio.timeout(_READY_WITHIN), aiomqtt.Client("127.0.0.1", self.port) as client:
                await client.subscribe(f"{BASE}/bridge/#")
                async for message in client.messages:
                    topic, said = str(message.topic), json.loads(message.payload)
                    if topic == f"{BASE}/bridge/info" and not said["permit_join"]:
                        request = json.dumps({"time": 60})
                        await client.publish(f"{BASE}/bridge/request/permit_join", request)
                    elif topic == f"{BASE}/bridge/devices":
                        known = {each["friendly_name"] for each in said if each.get("interview_completed")}
                        if known >= set(self._names):
                            await client.publish(
                                f"{BASE}/bridge/request/permit_join", json.dumps({"time": 0})
                            )
                            return
        except TimeoutError:
            raise TimeoutError(self.said()) from None

    def _run(
        self, command: list[str], name: str, more: dict[str, str], folder: Path | None = None
    ) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=folder or self.folder, env={**os.environ, **more}, stdout=log, stderr=log
            )


def _ended(process: subprocess.Popen[bytes] | None, *, at_once: bool = False) -> None:
    if process is None:
        return
    (process.kill if at_once else process.terminate)()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def _free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


if __name__ == "__main__":
    # By hand: the stack runs until Enter is pressed, and says where.
    stack = ZigbeeStack()
    stack.start()
    sys.stdout.write(f"{stack.address}  {stack.folder}\n")
    sys.stdin.readline()
    stack.stop()
