"""``thumbturn backup`` and ``thumbturn restore``: all that is on record, in one file and back again."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from thumbturn import __version__
from thumbturn.domain.clock import SECOND, SystemClock
from thumbturn.sealing import FILE_NAME as KEY_FILE
from thumbturn.settings import Settings
from thumbturn.storage.backup import BackupRefused, back_up, files_of, look_into
from thumbturn.storage.backup import restore as restore_database
from thumbturn.storage.databases import DatabaseUnusable, parse_url, sqlite_file
from thumbturn.storage.dumps import dump_command, restore_command
from thumbturn.storage.lockfile import DataDirectoryInUse, exclusive
from thumbturn.storage.open import DatabaseTooNew
from thumbturn.upkeep.chosen import journal_of, option, or_say_why_not, prepare_folder, settings_from, url_of

_REASONS = (BackupRefused, DatabaseTooNew, DatabaseUnusable, DataDirectoryInUse, OSError)

#: The exit status of a command that printed what to do and did nothing itself: no script is to take it
#: for a backup that was made.
ONLY_SAID = 3


def backup(
    file: Annotated[Path, typer.Argument(help="A new file; one that is there is never overwritten.")],
    data: Annotated[Path | None, option("data")] = None,
    database_url: Annotated[str | None, option("database_url")] = None,
) -> None:
    """Back up an SQLite database and the virtual world in one file, also while a server runs.

    Of PostgreSQL it prints the command that does it, and ends with 3. The encryption key is in neither.
    """
    settings = settings_from(locals())
    with or_say_why_not(*_REASONS):
        url = parse_url(url_of(settings))
        database = sqlite_file(url)
        if database is None:
            _say_instead(dump_command(url, file.absolute()), settings)
        made = back_up(database, journal_of(settings), file, made_at=SystemClock().now(), version=__version__)
        typer.echo(f"{file}: the database at schema revision {made.revision}, {file.stat().st_size:,} bytes.")
        typer.echo(_about_the_key(settings))


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `thumbturn backup` made.")],
    data: Annotated[Path | None, option("data")] = None,
    database_url: Annotated[str | None, option("database_url")] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="If there is a database already, move it aside, into a folder beside it."
        ),
    ] = False,
) -> None:
    """Put a backup in the place of an SQLite database that is not there, or is to be replaced.

    Of PostgreSQL it prints the command that does it, and ends with 3.
    """
    settings = settings_from(locals())
    with or_say_why_not(*_REASONS):
        url = parse_url(url_of(settings))
        database = sqlite_file(url)
        if database is None:
            _say_instead(restore_command(url, file.absolute()), settings)
        found = look_into(file)
        prepare_folder(settings.data)
        with exclusive(settings.data):
            _make_room(database, journal_of(settings), replace=replace)
            restore_database(file, found, database, journal_of(settings))
    made = datetime.fromtimestamp(found.made_at // SECOND, UTC)
    typer.echo(
        f"Restored what was on record at {made:%Y-%m-%d %H:%M:%S} UTC, by version {found.version}, "
        f"at schema revision {found.revision}."
    )
    if settings.encryption_key is None and not (settings.data / KEY_FILE).exists():
        typer.echo(f"Before the start, put the {KEY_FILE} that belongs to it into {settings.data}.")


def _make_room(database: Path, journal: Path, *, replace: bool) -> None:
    there = files_of(database, journal)
    if not there:
        return
    if not replace:
        raise BackupRefused(
            f"{there[0]} is there already. Restore to another folder, or say --replace: then it is moved "
            "aside, not deleted."
        )
    now = datetime.fromtimestamp(SystemClock().now() // SECOND, UTC)
    aside = database.with_name(f"replaced-{now:%Y%m%dT%H%M%SZ}")
    aside.mkdir(mode=0o700)
    for each in there:
        # The journal may be on another disk than the database.
        shutil.move(each, aside / each.name)
    typer.echo(f"What was there is in {aside} now.")


def _say_instead(command: str, settings: Settings) -> NoReturn:
    """Print the command that PostgreSQL's own program does it with, and end."""
    typer.echo(command)
    typer.echo(
        "Nothing was done yet: PostgreSQL's own programs do it, by the command above. It has no password in "
        "it: they take that from PGPASSWORD or ~/.pgpass, or ask. "
        f"{_about_the_key(settings)}",
        err=True,
    )
    raise typer.Exit(ONLY_SAID)


def _about_the_key(settings: Settings) -> str:
    where = (
        f"the file {settings.data / KEY_FILE}"
        if settings.encryption_key is None
        else "your THUMBTURN_ENCRYPTION_KEY"
    )
    return (
        f"Not in it: the encryption key. Keep {where} as well, elsewhere: without it no server starts on "
        "a restored database that holds a secret."
    )
