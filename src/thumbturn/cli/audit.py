"""``thumbturn audit``: read the audit trail, keep it elsewhere, and find out whether somebody was at it.

The chain is checked here and not by the server: a server that was tampered with would say what it
is told to say.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from thumbturn.cli.client import Client
from thumbturn.domain.chain import Chain, Head, Sealed

audit = typer.Typer(no_args_is_help=True, help="Check and export the audit trail of the workspace.")

#: How many problems are told; those behind a broken entry tell little more.
_MOST_TOLD = 10
_PAGE = 2_000

Folder = Annotated[Path, typer.Option("--data", envvar="THUMBTURN_DATA", help="The server's data folder.")]
Line = dict[str, Any]


class Trail:
    """The trail as a server tells it, page by page."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.head = Head()
        self.waiting = 0

    def __iter__(self) -> Iterator[Line]:
        cursor = None
        while True:
            answer = self._client.call("/thumbturn/audit/list", limit=_PAGE, page_cursor=cursor)
            yield from answer["entries"]
            # Of the last page: only there is the end of the entries the end of the chain.
            self.head, self.waiting = Head(**answer["head"]), answer["waiting"]
            cursor = answer["pagination"]["next_page_cursor"]
            if cursor is None:
                return


@audit.command()
def verify(
    file: Annotated[
        Path | None,
        typer.Option(help="Check an export instead of asking the server.", exists=True, dir_okay=False),
    ] = None,
    expect: Annotated[
        str | None, typer.Option(help="A head that was noted earlier, NUMBER:SEAL: it must be in the chain.")
    ] = None,
    data: Folder = Path("thumbturn-data"),
) -> None:
    """Read the whole trail and check that nothing in it was changed, removed, added or moved."""
    noted = None if expect is None else _noted(expect)
    chain = Chain()
    if file is not None:
        _read(chain, _lines(file), noted)
        waiting = 0
    else:
        trail = Trail(Client(data))
        _read(chain, trail, noted)
        chain.end(trail.head)
        waiting = trail.waiting
    for problem in chain.problems[:_MOST_TOLD]:
        typer.echo(f"thumbturn: {problem}", err=True)
    if len(chain.problems) > _MOST_TOLD:
        typer.echo(f"thumbturn: and {len(chain.problems) - _MOST_TOLD} more.", err=True)
    if chain.problems:
        raise typer.Exit(1)
    later = f" {waiting} more are not in the chain yet." if waiting else ""
    typer.echo(f"{chain.head.number} entries, nothing was changed.{later}")
    typer.echo(f"Head: {chain.head.number}:{chain.head.seal}")


@audit.command()
def export(
    to: Annotated[Path | None, typer.Option(help="Where to write; else it is printed.")] = None,
    data: Folder = Path("thumbturn-data"),
) -> None:
    """Write the whole trail as JSON lines, one entry in a line, with its number and its seal."""
    trail = Trail(Client(data))
    try:
        out = sys.stdout if to is None else to.open("w", encoding="utf-8")
    except OSError as reason:
        typer.echo(f"thumbturn: cannot write {to}: {reason.strerror}.", err=True)
        raise typer.Exit(1) from None
    try:
        for line in trail:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    finally:
        if to is not None:
            out.close()
    typer.echo(f"Head: {trail.head.number}:{trail.head.seal}", err=True)


def _read(chain: Chain, lines: Iterator[Line] | Trail, noted: Head | None) -> None:
    was_there = noted is None or noted == Head()
    for line in lines:
        sealed = Sealed(line["number"], line["seal"], line["entry"])
        chain.read(sealed)
        was_there = was_there or (sealed.number, sealed.seal) == noted
    if noted is not None and not was_there:
        chain.problems.append(f"The chain does not hold entry {noted.number} with the seal {noted.seal}.")


def _lines(file: Path) -> Iterator[Line]:
    with file.open(encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            found = _line(line)
            if found is None:
                typer.echo(f"thumbturn: line {number} of {file} is no entry of an audit trail.", err=True)
                raise typer.Exit(1)
            yield found


def _line(text: str) -> Line | None:
    with suppress(ValueError, TypeError, KeyError):
        entry = json.loads(text)
        if isinstance(entry["number"], int) and isinstance(entry["seal"], str):
            return {name: entry[name] for name in ("number", "seal", "entry")}
    return None


def _noted(text: str) -> Head:
    number, _, seal = text.partition(":")
    if not (number.isdecimal() and len(seal) == len(Head().seal)):
        raise typer.BadParameter("a head is written NUMBER:SEAL, as `thumbturn audit verify` prints it")
    return Head(int(number), seal)
