"""Writes the generated parts of the docs: ``make docs``, or with ``--check`` says which are behind.

A generated part stands between two comments::

    <!-- made by tools/write_docs.py: moves -->
    ...
    <!-- end -->

and everything outside is written by people.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tools import cost_of_scale, event_types, recorded_devices, tables
from tools.draw_moves import draw_moves

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "SUPPORTED.md",
    *(
        ROOT / "docs" / f"{name}.md"
        for name in (
            "attempts",
            "client-sessions",
            "errors",
            "events",
            "fake-seam-connect",
            "operating",
            "scaling",
            "wire",
        )
    ),
)

PARTS: dict[str, Callable[[], str]] = {
    "moves": draw_moves,
    "evidence": tables.evidence,
    "actions": tables.actions,
    "failures": tables.failures,
    "fake_differences": tables.fake_differences,
    "refusals": tables.refusals,
    "settings": tables.settings,
    "metrics": tables.metrics,
    "request_headers": tables.request_headers,
    "reply_headers": tables.reply_headers,
    "sessions": tables.sessions,
    "events": event_types.events,
    "never_told": event_types.never_told,
    "recorded_locks": recorded_devices.locks,
    "recorded_thermostats": recorded_devices.thermostats,
    "costs": partial(cost_of_scale.from_file, cost_of_scale.measured_table),
    "plans": partial(cost_of_scale.from_file, cost_of_scale.usual),
}

_MADE = re.compile(r"(<!-- made by tools/write_docs\.py: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def renewed(text: str) -> str:
    """The text with every generated part as it would be written now.

    Raises ``KeyError`` for a part that nobody makes.
    """
    return _MADE.sub(lambda found: f"{found[1]}{PARTS[found[2]]()}\n{found[3]}", text)


def main(arguments: list[str]) -> int:
    """Write what is behind, or only name it; the exit code is 1 when something was behind and is still."""
    behind = [path for path in DOCUMENTS if renewed(path.read_text()) != path.read_text()]
    checking = "--check" in arguments
    for path in behind:
        print(f"{path.relative_to(ROOT)} {'is behind: run make docs' if checking else 'written anew'}")
        if not checking:
            path.write_text(renewed(path.read_text()))
    return 1 if checking and behind else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
