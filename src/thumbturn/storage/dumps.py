"""The commands with which PostgreSQL's own programs back a database up and restore it.

No password is ever in them: command lines are seen by everybody on a machine. Those programs take it from
``PGPASSWORD``, from ``~/.pgpass``, or ask for it.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from sqlalchemy import URL

from thumbturn.storage.databases import direct


def dump_command(url: URL, file: Path) -> str:
    """Writes all of the database at one moment to a new file that its owner alone can read."""
    name = shlex.quote(str(file))
    return (
        f"test ! -e {name} && (umask 077 && pg_dump --format=custom --no-owner --no-privileges "
        f"--dbname={shlex.quote(without_password(url))} --file={name})"
    )


def restore_command(url: URL, file: Path) -> str:
    """Fills an empty database from such a file: wholly or not at all; one that is not empty is refused."""
    return (
        "pg_restore --exit-on-error --single-transaction --no-owner --no-privileges "
        f"--dbname={shlex.quote(without_password(url))} {shlex.quote(str(file))}"
    )


def without_password(url: URL) -> str:
    """The URL as PostgreSQL's programs take it, without any password in it."""
    query = {name: value for name, value in direct(url).query.items() if "password" not in name.lower()}
    shown = URL.create(
        "postgresql",
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query=query,
    )
    return shown.render_as_string(hide_password=False)
