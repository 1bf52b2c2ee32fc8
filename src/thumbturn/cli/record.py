"""``thumbturn record``: write down what a real device says, secrets removed, while the server runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from thumbturn.cli.client import Client

Folder = Annotated[Path, typer.Option("--data", envvar="THUMBTURN_DATA", help="The server's data folder.")]
_GUIDE = """Recording {device}. No secret gets into it.
Now have it do what it shall be known by: command it by this server, use its keypad and its knob.
Write what you do next (such as: unlock by hand) and press Enter each time before you do it.
An empty line, or the end of the input, ends the recording; after 15 minutes it listens no more."""


def record(
    account: Annotated[str, typer.Option(help="The id of the connected account that the device is behind.")],
    device: Annotated[
        str | None, typer.Option(help="The device's id, if the account has several devices.")
    ] = None,
    workspace: Annotated[
        str | None, typer.Option(help="The id of its workspace: one that is no sandbox.")
    ] = None,
    data: Folder = Path("thumbturn-data"),
) -> None:
    """Write a recording of a real device: ``thumbturn record --account … > trace.json``."""
    client = Client(data, workspace or _workspace_of(data, account))
    begun = client.call("/thumbturn/recordings/start", connected_account_id=account, device_id=device)
    recording = begun["recording"]
    typer.echo(_GUIDE.format(device=recording["device_id"]), err=True)
    id = recording["recording_id"]
    try:
        for line in sys.stdin:
            if not line.strip():
                break
            said = client.call(
                "/thumbturn/recordings/begin_scene", recording_id=id, name=line.strip().lower()
            )
            typer.echo(f"  {said['recording']['line_count']} lines so far. Go on.", err=True)
    except KeyboardInterrupt:
        pass  # whoever presses Control-C wants to have it
    trace = client.call("/thumbturn/recordings/stop", recording_id=id)["trace"]
    typer.echo(as_text(trace))


def as_text(trace: dict[str, Any]) -> str:
    """A recording as a file: a line of text for each of its lines, so that people can read and compare it."""
    head = {name: value for name, value in trace.items() if name != "scenes"}
    scenes = []
    for scene in trace["scenes"]:
        lines = ",\n   ".join(json.dumps(line, ensure_ascii=False) for line in scene["lines"])
        scenes.append(f'  {{"name": {json.dumps(scene["name"])}, "lines": [\n   {lines}\n  ]}}')
    opening = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{opening},\n "scenes": [\n' + ",\n".join(scenes) + "\n ]\n}"


def _workspace_of(data: Path, account: str) -> str | None:
    """The workspace that has this account; ``None`` if none has: the server says what is wrong then."""
    for each in Client(data).call("/workspaces/list")["workspaces"]:
        if not each["is_sandbox"]:
            listed = Client(data, each["workspace_id"]).call("/connected_accounts/list")["connected_accounts"]
            if any(known["connected_account_id"] == account for known in listed):
                return str(each["workspace_id"])
    return None
