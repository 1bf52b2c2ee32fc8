"""The programs of the lab, inside a network of their own: run by ``stack.py``, and by nobody else.

Matter finds devices by multicast over IPv6, so this runs in a network namespace with one link that leads
nowhere. The socket that it listens on was made outside: whoever connects there is handed on to the server.
Each line that comes in is an order, each that goes out its answer; when no more come in, all is stopped.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
#: By name their ports and what they are found by.
DEVICES = {"front": (5540, 3840), "back": (5541, 3841), "hall": (5542, 3842)}
_PORT = 5580


def make_network() -> None:
    """A link with an address of its own, on which multicast works."""
    for command in (
        "link set lo up",
        "link add m0 type veth peer name m1",
        "link set m0 up",
        "link set m1 up",
        "addr add 10.77.0.1/24 dev m0",
    ):
        subprocess.run(["ip", *command.split()], check=True)


class Programs:
    """The server and the devices, and what they write, in one folder."""

    def __init__(self, folder: Path, python: Path) -> None:
        self._folder = folder
        self._python = python
        self._server: asyncio.subprocess.Process | None = None
        self._devices: dict[str, asyncio.subprocess.Process] = {}

    async def start_devices(self) -> dict[str, str]:
        """The pairing code of each, by its name, once all are there."""
        codes: dict[str, str] = {}

        async def start(name: str) -> None:
            port, discriminator = DEVICES[name]
            with (self._folder / f"{name}.log").open("ab") as log:
                self._devices[name] = device = await asyncio.create_subprocess_exec(
                    "node", "devices.mjs", name, str(self._folder), str(port), str(discriminator),
                    cwd=HERE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                )  # fmt: skip
            assert device.stdout is not None  # it is a pipe
            async for line in device.stdout:
                with suppress(ValueError):
                    said = json.loads(line)
                    codes[said["ready"]] = said["code"]
                    return

        await asyncio.gather(*map(start, DEVICES))
        return codes

    async def start_server(self) -> None:
        """Return when the server answers."""
        paa = self._folder / "paa"
        if not paa.exists():
            await (await asyncio.create_subprocess_exec("node", "paa.mjs", str(paa), cwd=HERE)).wait()
        with (self._folder / "server.log").open("ab") as log:
            self._server = await asyncio.create_subprocess_exec(
                str(self._python), "-m", "matter_server.server",
                "--storage-path", str(self._folder / "store"), "--port", str(_PORT),
                "--listen-address", "127.0.0.1", "--primary-interface", "m0",
                "--paa-root-cert-dir", str(paa), "--ota-provider-dir", str(self._folder / "ota"),
                # What its wheel writes by fixed names goes where it is.
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        while not await asyncio.to_thread(_answers):
            if self._server.returncode is not None:
                raise RuntimeError("the Matter server does not come up")
            await asyncio.sleep(0.05)

    async def kill_server(self) -> None:
        """As a server that loses its power."""
        await _end(self._server)

    async def stop(self) -> None:
        """End everything."""
        await asyncio.gather(_end(self._server), *map(_end, self._devices.values()))

    def signal(self, name: str, signal: int) -> None:
        """Stop a device in the middle of everything, or let it go on."""
        self._devices[name].send_signal(signal)


async def _end(process: asyncio.subprocess.Process | None) -> None:
    if process is not None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _answers() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{_PORT}/info", timeout=1):
            return True
    except OSError:
        return False


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Connect whoever came with the server."""
    try:
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", _PORT)
    except OSError:
        writer.close()
        return
    await asyncio.gather(_pump(reader, other_writer), _pump(other_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while some := await reader.read(65_536):
            writer.write(some)
            await writer.drain()
    writer.close()


async def main(folder: Path, python: Path, listening: int) -> None:
    """Start everything, then do what is asked until nobody asks any more."""
    make_network()
    programs = Programs(folder, python)
    try:
        codes, _ = await asyncio.gather(programs.start_devices(), programs.start_server())
        await asyncio.start_server(_hand_on, sock=socket.socket(fileno=listening))
        _say({"ready": codes})
        orders = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
        )
        async for line in orders:
            order = json.loads(line)
            if order["do"] == "restart":
                await programs.kill_server()
                await asyncio.sleep(order["away"])
                await programs.start_server()
            elif order["do"] == "signal":
                programs.signal(order["device"], order["signal"])
            _say({})
    finally:
        await programs.stop()


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
