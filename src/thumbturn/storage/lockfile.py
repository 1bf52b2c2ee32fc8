"""One server per data directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DataDirectoryInUse(Exception):
    """Another server works with this data directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"Another server is using the data directory {directory}. Stop it first, or give this one "
            "a directory of its own with --data."
        )


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Inside the block the data directory is ours alone; raises ``DataDirectoryInUse`` if it is not.

    The lock ends with the process, however that ends; the file stays and means nothing by itself.
    """
    with (directory / "thumbturn.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataDirectoryInUse(directory) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
