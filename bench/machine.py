"""What the numbers were measured on, and with which versions."""

import json
import os
import platform
import shutil
import sqlite3
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import psutil

from bench.options import ROOT
from bench.servers import PEER

PACKAGES = ("uvicorn", "uvloop", "httptools", "starlette", "pydantic", "sqlalchemy")


def facts(work: Path) -> dict[str, object]:
    """Cores, memory, disk, versions and the state of the source, fit for JSON."""
    work.mkdir(parents=True, exist_ok=True)
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": _said("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "kernel": platform.release(),
        "filesystem": _filesystem(work),
        "fsync_ms": _fsync_milliseconds(work),
        "load_average_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "node": _said("node", "--version"),
        "wrk": _said("wrk", "--version").partition(" [")[0],
        "peer": _peer_version(),
        **{name: _installed(name) for name in PACKAGES},
    }


def _said(*command: str) -> str:
    """The first line that a command prints, whatever it thinks of our question."""
    if shutil.which(command[0]) is None:
        return "missing"
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return next(iter((run.stdout or run.stderr).splitlines()), "silent")


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _peer_version() -> str:
    lock = json.loads((PEER / "package-lock.json").read_text())
    name = "@seamapi/fake-seam-connect"
    return f"{name} {lock['packages'][f'node_modules/{name}']['version']}"


def _processor() -> str:
    """The processor's own name for itself, where the kernel tells."""
    told = Path("/proc/cpuinfo")
    for line in told.read_text().splitlines() if told.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _filesystem(path: Path) -> str:
    """The type of the file system that holds this path: a tmpfs would make durability free."""
    inside = [
        one for one in psutil.disk_partitions(all=True) if path.resolve().is_relative_to(one.mountpoint)
    ]
    return max(inside, key=lambda one: len(one.mountpoint)).fstype if inside else "unknown"


def _fsync_milliseconds(work: Path, times: int = 50) -> float:
    """The median time of appending 4 KiB and waiting until the disk has it."""
    path = work / "fsync-probe"
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            started = time.perf_counter()
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - started) * 1e3)
    path.unlink()
    return round(median(taken), 3)
