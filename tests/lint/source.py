"""The project's own files, as the lint tests read them."""

from __future__ import annotations

import ast
import functools
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "thumbturn"

#: Folders that verbs and tools make; nobody writes in them.
MADE = {
    ".git",
    ".venv",
    "__pycache__",
    "node_modules",
    "build",
    "dist",
    "results",
    "thumbturn-data",
    "htmlcov",
}
MADE |= {".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}


def modules(folder: Path) -> list[Path]:
    """Every Python file below a folder."""
    return sorted(folder.rglob("*.py"))


@functools.cache
def tree(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text(), filename=str(path))


def name(path: Path) -> str:
    """The file as people name it: from the root of the project."""
    return path.relative_to(ROOT).as_posix()


@functools.cache
def texts() -> dict[str, str]:
    """Every text file of the project that was written by a person or a tool of ours, by its name."""
    found = {}
    for folder, subfolders, files in os.walk(ROOT):
        subfolders[:] = [each for each in subfolders if each not in MADE and not each.endswith(".egg-info")]
        for each in files:
            path = Path(folder) / each
            # In a worktree of git, `.git` is a file, and `.venv` may be a link.
            if each in MADE or path.suffix in {".pyc", ".db"} or each.startswith(".coverage"):
                continue
            found[name(path)] = path.read_text(errors="replace")
    return found
