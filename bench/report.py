"""The rows as a table for people and as JSON for programs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.options import Options
from bench.rows import Row

COLOURS = {"pass": "green", "fail": "red", "invalid": "red bold", "-": "dim"}


def as_json(rows: list[Row], options: Options, machine: dict[str, object], quick: bool) -> dict[str, Any]:
    """Everything that is known of the run."""
    plan = asdict(options)
    return {
        "quick": quick,
        "machine": machine,
        "plan": {name: plan[name] for name in plan if name not in {"command", "work", "kept"}},
        "rows": [_row(row) for row in rows],
    }


def write(path: Path, run: dict[str, Any]) -> None:
    """Put the run into a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run, indent=2) + "\n")


def show(rows: list[Row], machine: dict[str, object], quick: bool) -> None:
    """Print the table, what is to be said about its rows, and the machine."""
    console = Console(width=None if Console().is_terminal else 150)
    table = Table(title="thumbturn beside the peer, medians" + (" (quick: no result)" if quick else ""))
    for heading in ("what", "unit"):
        table.add_column(heading)
    for heading in ("ours", "beside", "ratio", "ceiling", "wanted", "verdict"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.what,
            row.unit,
            _number(row.value("ours")),
            f"{row.beside} {_number(row.value(row.beside))}" if row.value(row.beside) is not None else "",
            f"{row.ratio:.2f}" if row.ratio is not None else "",
            _number(row.value("bare")),
            str(row.bound or ""),
            f"[{COLOURS[row.verdict]}]{row.verdict}[/]",
        )
    console.print(table)
    for row in rows:
        for said in row.invalid:
            console.print(f"[red]invalid[/] {row.name}: {said}", highlight=False)
        for said in row.notes:
            console.print(f"[dim]{row.name}: {said}[/]", highlight=False)
    console.print(", ".join(f"{name} {fact}" for name, fact in machine.items()), style="dim", highlight=False)


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "what": row.what,
        "unit": row.unit,
        "medians": {side: row.value(side) for side in row.samples},
        "samples": row.samples,
        "beside": row.beside,
        "ratio": row.ratio,
        "wanted": str(row.bound) if row.bound else None,
        "verdict": row.verdict,
        "invalid": row.invalid,
        "notes": row.notes,
    }


def _number(value: float | None) -> str:
    """As many digits as tell something."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
