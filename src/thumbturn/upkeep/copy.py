"""``thumbturn copy``: from SQLite to PostgreSQL, for whoever outgrew a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thumbturn.domain.clock import SystemClock
from thumbturn.storage.databases import DatabaseUnusable
from thumbturn.storage.lockfile import DataDirectoryInUse, exclusive
from thumbturn.storage.open import DatabaseTooNew, DatabaseTooOld
from thumbturn.upkeep.chosen import option, or_say_why_not, settings_from


def copy(
    source: Annotated[str, typer.Option("--from", help="sqlite:///FILE, which no server uses.")],
    target: Annotated[
        str, typer.Option("--to", help="postgresql://HOST/NAME, empty and with this version's schema.")
    ],
    data: Annotated[Path | None, option("data")] = None,
) -> None:
    """Copy everything from an SQLite database to an empty PostgreSQL database, or nothing.

    After that the file has another name, so that nobody takes it for the database.
    """
    # Only who copies pays for loading it.
    from thumbturn.storage.copying import CopyRefused, NotSetAside, set_aside
    from thumbturn.storage.copying import copy as copy_database

    settings = settings_from({"data": data})
    with or_say_why_not(
        CopyRefused,
        NotSetAside,
        DatabaseTooNew,
        DatabaseTooOld,
        DatabaseUnusable,
        DataDirectoryInUse,
        OSError,
    ):
        if not settings.data.is_dir():
            raise CopyRefused(f"There is no data folder {settings.data}: say with --data where it is.")
        with exclusive(settings.data):
            for table, count in sorted(copy_database(source, target).items()):
                typer.echo(f"{count:>12,}  {table}")
            aside = set_aside(source, SystemClock().now())
    typer.echo(
        f"All is copied. Start with --database-url and the same data folder, {settings.data}: its "
        f"encryption key and its virtual world stay there. The SQLite file is {aside} now. Whatever backs "
        "it up has to be changed: `thumbturn backup` with --database-url says how."
    )
