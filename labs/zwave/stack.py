"""Brings the Z-Wave lab up, and takes it down by its process id."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
#: Seconds: the first start interviews every node, slot by slot of its memory.
READY_WITHIN = 60


def missing() -> str | None:
    """Why the lab cannot run on this machine; ``None`` if it can."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed: the Z-Wave lab needs Node 20 or newer"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    major = int(version.removeprefix("v").split(".")[0])
    return None if major >= 20 else f"Node is {version.strip()}: the Z-Wave lab needs 20 or newer"


def install() -> None:
    """Fetch the packages of the lock file, unless they are there."""
    lock = (HERE / "package-lock.json").read_text()
    if (HERE / "node_modules" / ".ready").exists():
        return  # by make
    done = HERE / "node_modules" / ".installed"
    if done.exists() and done.read_text() == lock:
        return
    command = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=HERE, check=True, timeout=300)
    done.write_text(lock)


def free_port() -> int:
    """A port on loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """Radio, driver and server in one process."""

    def __init__(self, folder: Path, *, models: bool = False) -> None:
        """With ``models`` its nodes are taken for those that people can buy (``labs/recording.py``)."""
        self._folder = folder
        #: What the devices did, by their own account: a line of JSON each.
        self.log = folder / "devices.jsonl"
        self._environment = {**os.environ, "LAB_LOG": str(self.log)} | ({"LAB_MODELS": "1"} if models else {})
        self._port, self._control = free_port(), free_port()
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"ws://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and return when all nodes are ready."""
        command = ["node", "stack.cjs", "--port", str(self._port), "--control", str(self._control)]
        self._process = subprocess.Popen(
            [*command, "--cache", str(self._folder)],
            cwd=HERE,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        ready = threading.Event()
        lines: list[str] = []
        threading.Thread(target=self._read, args=(self._process, lines, ready), daemon=True).start()
        if not ready.wait(READY_WITHIN) or self._process.poll() is not None:
            self.stop()
            raise RuntimeError("the Z-Wave lab does not come up:\n" + "".join(lines[-20:]))

    def stop(self) -> None:
        """Kill it: as a hub that loses its power."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()

    def restart(self) -> None:
        """Kill it and start it again. Its locks stand as they stood; all else of its nodes begins anew."""
        self.stop()
        time.sleep(0.5)
        self.start()

    def ask(self, path: str) -> str:
        """Do something at the devices."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._control}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    @staticmethod
    def _read(process: subprocess.Popen[str], lines: list[str], ready: threading.Event) -> None:
        assert process.stdout is not None  # it is a pipe
        try:
            for line in process.stdout:
                lines.append(line)
                if line.startswith("{") and json.loads(line).get("ready"):
                    ready.set()
        except ValueError:
            pass  # closed under us
        ready.set()
