"""How the command line reaches a running server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import typer


class Client:
    """Calls the server whose data folder this is, with the credentials kept there."""

    def __init__(self, folder: Path, workspace_id: str | None = None) -> None:
        """Of the workspace that the folder's credentials are for, unless another is named."""
        path = folder / "credentials.json"
        try:
            credentials = json.loads(path.read_text())
            self._endpoint = str(credentials["endpoint"])
            self._headers = {
                "authorization": f"Bearer {credentials['personal_access_token']}",
                "seam-workspace": workspace_id or str(credentials["workspace_id"]),
            }
        except FileNotFoundError:
            _stop(f"there is no {path}. Start the server on this folder first, or name another by --data.")
        except (ValueError, KeyError):
            _stop(f"{path} is not a credentials file of this version.")

    def call(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The answer of the endpoint; ends the program with the server's own words if it refuses."""
        given = {name: value for name, value in parameters.items() if value is not None}
        try:
            response = httpx.post(self._endpoint + path, json=given, headers=self._headers, timeout=30)
        except httpx.TransportError:
            _stop(f"no server answers at {self._endpoint}. Is it running?")
        answer: dict[str, Any] = response.json()
        if not answer.get("ok"):
            _stop(str(answer["error"]["message"]))
        return answer


def _stop(reason: str) -> Any:
    typer.echo(f"thumbturn: {reason}", err=True)
    raise typer.Exit(1)
