"""What is so in that world: ``facts.json``, and the words in it that the code needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

#: The world's name on the command line.
NAME = "fake-seam-connect"
#: The workspace that has everything: where it is, this is the world.
HOME = "seed_workspace_1"
#: The person who owns it.
PERSON = "john_user_id"


@cache
def facts() -> Mapping[str, Any]:
    """The facts, read once and only in this world."""
    read: dict[str, Any] = json.loads(Path(__file__).with_name("facts.json").read_text())
    return read
