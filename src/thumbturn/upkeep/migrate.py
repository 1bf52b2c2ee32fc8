"""``thumbturn migrate``: the schema is brought up to date, or only looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.settings import Settings
from thumbturn.storage.databases import DatabaseUnusable
from thumbturn.storage.lockfile import DataDirectoryInUse, exclusive
from thumbturn.storage.open import DatabaseTooNew, DatabaseTooOld, require_schema
from thumbturn.storage.open import migrate as migrate_database
from thumbturn.upkeep.chosen import option, or_say_why_not, prepare_folder, settings_from, url_of


def migrate(
    data: Annotated[Path | None, option("data")] = None,
    database_url: Annotated[str | None, option("database_url")] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing: 0 if the schema is this version's, else 1 and why."),
    ] = False,
) -> None:
    """Bring the database to this version's schema, and say what was done."""
    settings = settings_from(locals())
    with or_say_why_not(
        DataDirectoryInUse, DatabaseTooNew, DatabaseTooOld, DatabaseUnusable, StorageUnavailable, OSError
    ):
        if check:
            _check(settings)
        else:
            _migrate(settings)


def _migrate(settings: Settings) -> None:
    prepare_folder(settings.data)
    with exclusive(settings.data):
        done = migrate_database(url_of(settings))
    typer.echo(f"Applied: {', '.join(done)}." if done else "The database is up to date.")


def _check(settings: Settings) -> None:
    # Also beside a running server, and without making the folder: a question changes nothing.
    require_schema(url_of(settings))
    typer.echo("The database has this version's schema.")
