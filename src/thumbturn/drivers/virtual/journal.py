"""Where the things of the virtual world stand, kept where the death of the server cannot reach it.

A file of JSON lines, one for each command that a device took and for each physical change::

    {"at": 1735689600000000, "device_id": "…", "did": "unlock",
     "now": {"locked": false, "jammed": false, "method": "remote", "moved_at": 1735689600300000,
             "moved_from": true}}

``at`` is when the command came, in µs. ``now`` is what is physically so because of it: for a bolt,
from ``moved_at`` on (``moved_from`` before that), for the motor needs its time and goes on if the
server dies. A line without
``now`` changed nothing. ``fault`` names the fault that the command met, if any. PINs are never here.

Each line is one ``write`` to a file opened for appending and is not flushed to the disk: it
outlives ``kill -9`` of the process, which is the point; it need not outlive a power loss.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import to_json

#: Above this size the history is dropped, and only what is so now is kept.
COMPACT_ABOVE_BYTES = 4 * 1024 * 1024

_FORGET = "forget"
_NOTHING: Mapping[str, Any] = {}

# ``os.write`` gives the interpreter lock away for the microsecond that it takes to reach the page cache,
# and gets it back when the store's writer can spare it: a quarter of all attempts were lost to that.
_libc = ctypes.PyDLL(None, use_errno=True)
_libc.write.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
_libc.write.restype = ctypes.c_ssize_t


class Journal:
    """The physical facts of every device that ever did something. Without a path: in memory only."""

    def __init__(self, path: Path | None, compact_above_bytes: int = COMPACT_ABOVE_BYTES) -> None:
        #: What is so now, by device, and since when.
        self._facts: dict[str, dict[str, Any]] = {}
        self._since: dict[str, int] = {}
        self._path = path
        self._file: int | None = None
        self._size = 0
        self._most = compact_above_bytes
        if path is not None:
            if path.exists():
                self._read_back(path)
            self._open(path)
            self._keep_short()

    def facts(self, device_id: str) -> dict[str, Any]:
        """What is physically so of this device; empty if it never did anything."""
        return dict(self._facts.get(device_id, _NOTHING))

    def record(
        self, at: int, device_id: str, did: str, now: Mapping[str, Any] = _NOTHING, fault: str | None = None
    ) -> None:
        """Write down what a device did; when this returns, the server may die."""
        if self._file is not None:
            line: dict[str, Any] = {"at": at, "device_id": device_id, "did": did}
            if now:
                line["now"] = now
            if fault:
                line["fault"] = fault
            self._size += _append(self._file, to_json(line) + b"\n")
        if now:
            self._learn(at, device_id, now)
        self._keep_short()

    def forget(self, at: int, device_ids: Iterable[str]) -> None:
        """These devices are as if they never did anything."""
        for device_id in device_ids:
            if self._facts.pop(device_id, None) is not None:
                del self._since[device_id]
                self.record(at, device_id, _FORGET)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _learn(self, at: int, device_id: str, now: Mapping[str, Any]) -> None:
        self._facts.setdefault(device_id, {}).update(now)
        self._since[device_id] = at

    def _open(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._file).st_size

    def _read_back(self, path: Path) -> None:
        content = path.read_bytes()
        whole, _, torn = content.rpartition(b"\n")
        if torn:
            # Half a line: its write did not end. Cut it off, or the next one would be glued to it.
            os.truncate(path, len(content) - len(torn))
        for text in whole.splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # a power loss can leave a block of zeros where lines were
            device_id = line["device_id"]
            if line["did"] == _FORGET:
                self._facts.pop(device_id, None)
                self._since.pop(device_id, None)
            elif "now" in line:
                self._learn(line["at"], device_id, line["now"])

    def _keep_short(self) -> None:
        """Above its size, replace the file by one line for each device; whole or not at all."""
        if self._path is None or self._size <= self._most:
            return
        shorter = self._path.with_name(f"{self._path.name}.new")
        shorter.unlink(missing_ok=True)
        with os.fdopen(os.open(shorter, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for device_id, now in self._facts.items():
                line = {"at": self._since[device_id], "device_id": device_id, "did": "compact", "now": now}
                file.write(to_json(line) + b"\n")
        shorter.replace(self._path)
        self.close()
        self._open(self._path)
        # With very many devices that alone is long: then not again for every line.
        self._most = max(self._most, 2 * self._size)


def _append(file: int, line: bytes) -> int:
    """Write the line, the interpreter lock held; how long it is. Raises ``OSError``; nothing is left then."""
    written: int = _libc.write(file, line, len(line))
    if written == len(line):
        return written
    number = ctypes.get_errno() if written < 0 else errno.ENOSPC
    if written > 0:
        # The disk had room for half of it. What is left there would spoil the next line, too.
        os.ftruncate(file, os.fstat(file).st_size - written)
    raise OSError(number, os.strerror(number))
