"""What the server says when it is ready: where it is, and how to call it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

PYTHON = """\
from seam import Seam  # pip install seam

seam = Seam(api_key="{api_key}", endpoint="{endpoint}")
door = seam.locks.list()[0]
print(seam.locks.unlock_door(device_id=door.device_id))"""

JAVASCRIPT = """\
import {{ Seam }} from "seam" // npm install seam

const seam = new Seam({{ apiKey: "{api_key}", endpoint: "{endpoint}" }})
const [door] = await seam.locks.list()
console.log(await seam.locks.unlockDoor({{ device_id: door.device_id }}))"""


def say_ready(
    endpoint: str,
    folder: Path,
    credentials: Mapping[str, str],
    *,
    show: bool,
    allowed: Sequence[object] = (),
) -> None:
    """Print the endpoint, and the networks that webhooks are ``allowed`` to go to beyond the Internet.

    With ``show`` also the tokens and a snippet for each SDK.
    """
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"[bold]thumbturn is ready[/] at {escape(endpoint)}  (API reference: {escape(endpoint)}/docs)"
    )
    if allowed:
        console.print(
            f"Webhooks may also go to {escape(', '.join(map(str, allowed)))} (THUMBTURN_WEBHOOK_ALLOW)."
        )
    if not show or "api_key" not in credentials:
        console.print(f"Tokens are in {escape(str(folder / 'credentials.json'))}. Ctrl-C stops the server.")
        return
    console.print(f"  workspace              {escape(credentials['workspace_id'])}")
    console.print(f"  API key                {escape(credentials['api_key'])}")
    console.print(f"  personal access token  {escape(credentials['personal_access_token'])}")
    console.print(f"Both are kept in {escape(str(folder / 'credentials.json'))}, readable by you only.")
    values = {"api_key": credentials["api_key"], "endpoint": endpoint}
    console.print(f"\n[bold]Python[/]\n{escape(PYTHON.format(**values))}")
    console.print(f"\n[bold]JavaScript[/]\n{escape(JAVASCRIPT.format(**values))}")
    console.print("\nCtrl-C stops the server.")
