"""A clock on the wall that can be set, for real processes: ``wall_clock.c`` is preloaded into them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from thumbturn.domain.clock import SECOND, SystemClock

SOURCE = Path(__file__).with_name("wall_clock.c")


class WallClock:
    """The clock of processes that are started with ``variables``. What measures how long something takes
    runs on, as it does when a real clock is set.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self._wrong_by = 0
        #: When it was set back, in true time, µs.
        self.set_back_at: list[int] = []
        self.set_by(0)
        self.variables = {"THUMBTURN_TEST_CLOCK": str(self._file)}
        #: Why it cannot be set, if it cannot.
        self.because = self._build(folder / "wall_clock.so")

    def set_by(self, seconds: int) -> None:
        """Set it forward or back; everybody who has it sees that at once."""
        self._wrong_by += seconds
        if seconds < 0:
            self.set_back_at.append(SystemClock().now())
        # Nobody may ever see half of it, nor an empty file.
        with self._file.open("r+b" if self._file.exists() else "w+b", buffering=0) as file:
            file.write(self._wrong_by.to_bytes(8, sys.byteorder, signed=True))

    def now(self) -> int:
        """What it shows, µs since 1970 UTC."""
        return SystemClock().now() + self._wrong_by * SECOND

    def _build(self, library: Path) -> str | None:
        compiler = shutil.which("cc")
        if compiler is None or not sys.platform.startswith("linux"):
            return "no C compiler for Linux is here"
        subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"],
            check=True,
        )
        self.variables["LD_PRELOAD"] = str(library)
        return None if self._is_believed() else "this Python asks another clock"

    def _is_believed(self) -> bool:
        self.set_by(7_200)
        before, measured = time.time(), time.monotonic()
        told = subprocess.run(
            [sys.executable, "-S", "-c", "import time; print(time.time(), time.monotonic())"],
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            check=True,
        )
        self.set_by(-7_200)
        wall, monotonic = map(float, told.stdout.split())
        return wall - before > 7_000 and monotonic - measured < 60
