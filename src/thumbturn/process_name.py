"""Which process worked in a data folder before this one.

Only one at a time can (``storage/lockfile.py``). So whoever has the folder knows for certain that the one
before him has ended, and need not wait until the others take that one for dead.
"""

from __future__ import annotations

from pathlib import Path

FILE_NAME = "process-id"


def succeed(folder: Path, process_id: str) -> str | None:
    """Write this process's id into the folder; the id that was there. Raises ``OSError``."""
    file = folder / FILE_NAME
    before = file.read_text(errors="replace").strip() if file.exists() else ""
    draft = folder / f".{FILE_NAME}.new"
    draft.write_text(f"{process_id}\n")
    draft.replace(file)
    return before or None
