"""``thumbturn keys``: make, list and revoke API keys, personal access tokens and publishable keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from thumbturn.cli.client import Client

keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke keys of the workspace.")

Kind = Literal["api_key", "personal_access_token", "publishable_key"]
Folder = Annotated[Path, typer.Option("--data", envvar="THUMBTURN_DATA", help="The server's data folder.")]


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    kind: Annotated[
        Kind, typer.Option(help="What it opens: see the documents on client sessions.")
    ] = "api_key",
    data: Folder = Path("thumbturn-data"),
) -> None:
    """Make a key. The token is shown this once."""
    answer = Client(data).call("/thumbturn/keys/create", name=name, kind=kind)
    typer.echo(answer["token"])


@keys.command("list")
def list_keys(data: Folder = Path("thumbturn-data")) -> None:
    """Show the keys that open the workspace, one in a line: id, beginning, kind, name."""
    for key in Client(data).call("/thumbturn/keys/list")["keys"]:
        # A name is anybody's text: it must not speak to the terminal.
        name = "".join(each if each.isprintable() else "\ufffd" for each in key["name"])
        line = f"{key['key_id']}  {key['hint']:<14}  {key['kind']:<21}  {name}"
        typer.echo(f"{line}  (revoked {key['revoked_at']})" if key["revoked_at"] else line)


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Its id, from `thumbturn keys list`.")],
    data: Folder = Path("thumbturn-data"),
) -> None:
    """Revoke a key. It opens nothing from now on."""
    Client(data).call("/thumbturn/keys/revoke", key_id=key_id)
    typer.echo("revoked")
