"""Draws the life of an attempt as a Mermaid diagram, from the table that the engine obeys."""

from __future__ import annotations

import itertools
import re

from thumbturn.domain.attempt import MOVES, STATUS, Phase


def draw_moves() -> str:
    """The diagram of ``MOVES``: the wire's three words as boxes, the phases inside them."""
    lines = ["```mermaid", "stateDiagram-v2"]
    for status, phases in itertools.groupby(Phase, STATUS.__getitem__):
        lines.append(f"    state {status} {{")
        lines += [f"        {phase}" for phase in phases]
        lines.append("    }")
    lines.append(f"    [*] --> {Phase.QUEUED}: accepted")
    # It takes its first move before it is stored for the first time, and saves a commit.
    lines.append(f"    [*] --> {Phase.SENT}: accepted, and its lane is free")
    for (start, end), signals in _arrows().items():
        lines.append(f"    {start} --> {end}: {', '.join(signals)}")
    lines += [f"    {phase} --> [*]" for phase in Phase if phase.is_final]
    return "\n".join([*lines, "```"])


def _arrows() -> dict[tuple[Phase, Phase], list[str]]:
    arrows: dict[tuple[Phase, Phase], list[str]] = {}
    for (start, signal), end in MOVES.items():
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", signal.__name__).lower()
        arrows.setdefault((start, end), []).append(words)
    return arrows
