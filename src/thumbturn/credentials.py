"""The file that tells the owner of a data folder how to get in: ``credentials.json``, mode 0600."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

FILE_NAME = "credentials.json"


def read_credentials(folder: Path) -> dict[str, str]:
    """What the file says; empty if there is none.

    Keys: ``endpoint``, ``workspace_id``, ``api_key``, ``personal_access_token``.
    """
    try:
        found = json.loads((folder / FILE_NAME).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def write_credentials(folder: Path, credentials: Mapping[str, str]) -> Path:
    """Put the file in place whole, readable by its owner only; its path."""
    path, draft = folder / FILE_NAME, folder / f".{FILE_NAME}.new"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(dict(credentials), file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return path
