"""Full load by wrk: 64 connections that always ask again at once."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.options import ROOT
from bench.rows import BenchError
from bench.servers import Server

CONNECTIONS = 64
SCRIPT = ROOT / "bench" / "wrk.lua"
INSTALLER = ROOT / "bench" / "install_wrk.sh"

Kind = Literal["unlock", "once", "heat", "get", "post", "list"]


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw during one round."""

    #: Requests answered in full.
    answered: int
    seconds: float
    #: Answers with a status of 400 or more.
    refused: int
    #: Connections that could not be made, read or written.
    broken: int
    #: Requests without an answer for so long that wrk gave up on them.
    late: int
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds

    @property
    def complaint(self) -> str | None:
        """Why this round counts for nothing, or None when every request was answered with 200."""
        wrong = {"refused": self.refused, "broken": self.broken, "late": self.late}
        told = ", ".join(f"{count} {word}" for word, count in wrong.items() if count)
        return f"of {self.answered} requests {told}" if told else None


def ensure_wrk() -> None:
    """Install wrk if it is missing; raises BenchError when that cannot be done."""
    if shutil.which("wrk") is None and subprocess.run([INSTALLER], check=False).returncode != 0:
        raise BenchError("wrk is missing and could not be installed")


def load(
    server: Server, kind: Kind, ids: Sequence[str], seconds: int, *, connections: int = CONNECTIONS
) -> Load:
    """Ask for these ids in turn for so long; what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "ids"
        listed.write_text("".join(f"{one}\n" for one in ids))
        command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
        command += ["--timeout", "30s", "--script", str(SCRIPT), server.endpoint]
        command += ["--", kind, str(listed), server.token]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in run.stdout.splitlines():
        if line.startswith("RESULT "):
            return Load(**json.loads(line.removeprefix("RESULT ")))
    if server.process.poll() is not None:
        raise BenchError(f"{server.side} ended by itself, with code {server.process.returncode}")
    raise BenchError(f"wrk gave no result from {server.side}: {run.stderr.strip() or run.stdout.strip()}")
