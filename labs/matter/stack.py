"""Brings the Matter lab up, in a network of its own, and takes it down by its process id."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp

HERE = Path(__file__).parent
#: The server's own: its wheels are for its interpreter only.
PYTHON = HERE / ".venv" / "bin" / "python"
#: The devices, in the order in which they are added: their number is what the server calls them.
NAMES = ("front", "back", "hall")
_NATIVE = HERE / ".venv" / "native"


def missing() -> str | None:
    """Why this machine cannot run it; ``None`` if it can. A lab that is missing is skipped with this."""
    for program, package in (("node", "nodejs"), ("unshare", "util-linux"), ("ip", "iproute2")):
        if shutil.which(program) is None:
            return f"{program} is missing: the Matter lab needs {package}"
    major = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout[1:]
    if int(major.split(".")[0]) < 20:
        return f"Node is {major.strip()}: the Matter lab needs 20 or newer"
    if subprocess.run([*_apart(), "true"], capture_output=True, check=False).returncode != 0:
        return "this machine lets nobody make a network of his own (unshare -n)"
    if not (HERE / "node_modules").exists() or not (HERE / ".venv" / "installed.txt").exists():
        return "its packages are missing: run npm ci in labs/matter, then scripts/matter.sh"
    return None


def _apart() -> list[str]:
    return ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]


class Stack:
    """One Matter server and three devices, with what they write in a folder of their own."""

    def __init__(self) -> None:
        # The path of a Unix socket is short.
        self.folder = Path(tempfile.mkdtemp(prefix="matter-"))
        self._outside = socket.create_server(("127.0.0.1", 0))
        port = self._outside.getsockname()[1]
        #: Where the server is.
        self.url = f"ws://127.0.0.1:{port}/ws"
        #: What the locks did, by their own account.
        self.log = self.folder / "did.jsonl"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Return when each device was added to the server."""
        try:
            asyncio.run(self._add(self._run()))
        except BaseException:
            self.stop()
            raise

    async def _add(self, codes: dict[str, str]) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(self.url) as server:
            await server.receive_json()
            for name in NAMES:
                asked = {"code": codes[name], "network_only": True}
                command = {"message_id": name, "command": "commission_with_code", "args": asked}
                await server.send_json(command)
                answer = await server.receive_json(timeout=60)
                if "result" not in answer:
                    raise RuntimeError(f"{name} cannot be added: {answer}\n{self.said()}")

    def stop(self) -> None:
        """Leave nothing behind, neither a process nor a file."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None  # it is a pipe
            process.stdin.close()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
            assert process.stdout is not None  # it is a pipe
            process.stdout.close()
        self._outside.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def order(self, device: str, do: str, **more: Any) -> dict[str, Any]:
        """Have a device do something: ``orders`` of ``devices.mjs``."""
        with closing(socket.socket(socket.AF_UNIX)) as bench:
            bench.settimeout(10)
            bench.connect(str(self.folder / f"{device}.sock"))
            bench.sendall(json.dumps({"do": do, **more}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(bench.makefile().readline())
        if "error" in answer:
            raise RuntimeError(f"{device} cannot {do}: {answer['error']}")
        return answer

    def stun(self, device: str, *, is_stunned: bool) -> None:
        """Let a device do nothing at all, as if its battery were out; or put it in again."""
        self._ask(do="signal", device=device, signal=signal.SIGSTOP if is_stunned else signal.SIGCONT)

    def restart(self, *, away: float = 0.5) -> None:
        """Kill the server, and start it again after so many seconds."""
        self._ask(do="restart", away=away)

    def said(self) -> str:
        """The last that all programs said, for a failing test."""
        lines = []
        for log in sorted(self.folder.glob("*.log")):
            lines += [f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-30:]]
        return "\n".join(lines)

    def _run(self) -> dict[str, str]:
        """Start it all; the pairing code of each device."""
        libraries = os.pathsep.join(filter(None, [str(_NATIVE), os.environ.get("LD_LIBRARY_PATH")]))
        with (self.folder / "inside.log").open("ab") as log:
            listening = self._outside.fileno()
            self._process = subprocess.Popen(
                [*_apart(), sys.executable, str(HERE / "inside.py"), str(self.folder), str(PYTHON),
                 str(listening)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, pass_fds=(listening,),
                env={**os.environ, "LD_LIBRARY_PATH": libraries},
            )  # fmt: skip
        codes: dict[str, str] = self._answer()["ready"]
        return codes

    def _ask(self, **order: Any) -> None:
        assert self._process is not None  # it was started
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process is not None  # it was started
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the Matter lab does not come up:\n" + self.said())
        answer: dict[str, Any] = json.loads(line)
        return answer


if __name__ == "__main__":
    # By hand: the stack runs until Enter is pressed, and says where.
    stack = Stack()
    stack.start()
    sys.stdout.write(f"{stack.url}  {stack.folder}\n")
    sys.stdout.flush()
    sys.stdin.readline()
    stack.stop()
