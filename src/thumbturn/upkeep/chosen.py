"""What the operator chose, by flags and variables, for every command; and how a command says no."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from thumbturn.settings import Settings
from thumbturn.storage.backup import JOURNAL
from thumbturn.storage.databases import behind_pooler, parse_url


def option(name: str) -> Any:
    """The flag of this setting, with its meaning and its variable."""
    return typer.Option(
        help=str(Settings.model_fields[name].description),
        envvar=f"THUMBTURN_{name.upper()}",
        show_default=False,
    )


def settings_from(given: dict[str, Any]) -> Settings:
    """The settings with these flags; what is none of them, or is None, was not given.

    Raises ``typer.BadParameter``, with a sentence for each setting that is wrong.
    """
    chosen = {
        key: value for key, value in given.items() if key in Settings.model_fields and value is not None
    }
    try:
        return Settings(**chosen)
    except ValidationError as problem:
        # Without the value: it may be a secret.
        wrong = (f"THUMBTURN_{str(each['loc'][0]).upper()}: {each['msg']}" for each in problem.errors())
        raise typer.BadParameter("; ".join(wrong)) from None


def prepare_folder(data: Path, virtual_world: Path | None = None) -> None:
    """Let these folders be there, and whatever is made from now on belong to its owner alone."""
    # Who came and went is in these files: also in a folder that others may read, they may not.
    os.umask(0o077)
    for folder in filter(None, (data, virtual_world)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def url_of(settings: Settings) -> str:
    """The URL of the database: of the data folder's file, unless another was chosen.

    Raises ``DatabaseUnusable`` for a URL of another kind.
    """
    if settings.database_url is None:
        return f"sqlite:///{(settings.data / 'thumbturn.db').absolute()}"
    if not settings.database_pooled:
        return settings.database_url
    return behind_pooler(parse_url(settings.database_url)).render_as_string(hide_password=False)


def listening_url_of(settings: Settings) -> str | None:
    """Where it is heard what other processes do; ``None`` if there is nothing but a pooler, and looking."""
    return settings.listen_url or (None if settings.database_pooled else settings.database_url)


def journal_of(settings: Settings, cell: int | None = None) -> Path:
    """The file in which the virtual world keeps what was done to it, or to the part of it in a cell."""
    file = (settings.virtual_world or settings.data) / JOURNAL
    return file if cell is None else file.with_stem(f"{file.stem}-{cell:02}")


@contextmanager
def or_say_why_not(*reasons: type[Exception]) -> Iterator[None]:
    """End the command with status 1 and the reason's own sentence, if one of these is raised."""
    try:
        yield
    except reasons as reason:
        typer.echo(f"thumbturn: {reason}", err=True)
        raise typer.Exit(1) from None
