"""Unlocks a virtual door with the official Seam SDK and shows what happened. Leaves nothing running.

``make demo`` runs it. The server is the real one, on SQLite, in a folder that is removed at the end;
the SDK is the one from the package index, unmodified: only its endpoint is ours.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from seam import Seam, SeamActionAttemptFailedError

SERVER = Path(sys.executable).with_name("thumbturn")
console = Console(highlight=False)


def main() -> None:
    """The whole story, in four acts."""
    with (
        tempfile.TemporaryDirectory(prefix="thumbturn-demo-") as folder,
        running_server(Path(folder)) as given,
    ):
        seam = Seam(api_key=given["api_key"], endpoint=given["endpoint"])
        ours = httpx.Client(
            base_url=given["endpoint"], headers={"authorization": f"Bearer {given['api_key']}"}
        )
        with seam, ours:
            door = seam.locks.list()[0]
            act(f"Unlock {door.display_name!r} with the official SDK")
            console.print(f"[dim]seam.locks.unlock_door(device_id={door.device_id!r})[/]")
            attempt = seam.locks.unlock_door(device_id=door.device_id)
            show_attempt(attempt)
            show_stages(ours, attempt.action_attempt_id)

            act("What the workspace was told")
            show_events(seam, attempt.action_attempt_id)

            act("What the door says now")
            locked = seam.locks.get(device_id=door.device_id).properties.locked
            console.print(f"locked: [bold]{locked}[/]")

            act("The bolt jams, and the server does not pretend")
            ours.post("/thumbturn/sandbox/inject_fault", json={"device_id": door.device_id, "fault": "jam"})
            try:
                seam.locks.lock_door(device_id=door.device_id)
            except SeamActionAttemptFailedError as failed:
                show_attempt(failed.action_attempt)
                show_stages(ours, failed.action_attempt.action_attempt_id)
    console.print("\nThe server has ended and its folder is gone. [bold]make run[/] starts one that stays.")


@contextmanager
def running_server(folder: Path) -> Iterator[dict[str, str]]:
    """The server while the block runs, with what its ``credentials.json`` says."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data, log = folder / "data", folder / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [SERVER, "serve", "--port", str(port), "--data", data], stdout=written, stderr=written
        )
    try:
        began = time.monotonic()
        while not answers(port):
            if process.poll() is not None or time.monotonic() - began > 30:
                sys.exit(f"the server did not start:\n{log.read_text()}")
            time.sleep(0.02)
        console.print(f"The server was ready after {time.monotonic() - began:.1f} s.")
        yield json.loads((data / "credentials.json").read_text())
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    """True once the server is ready."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").is_success
    except httpx.TransportError:
        return False


def act(title: str) -> None:
    """Begin a new part."""
    console.print(f"\n[bold green]{escape(title)}[/]")


def show_attempt(attempt: Any) -> None:
    """The five things that the wire says of an attempt."""
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_row("action_attempt_id", attempt.action_attempt_id)
    table.add_row("action_type", attempt.action_type)
    table.add_row("status", f"[bold]{attempt.status}[/]")
    if attempt.status == "success":
        table.add_row("was_confirmed_by_device", str(attempt.result.was_confirmed_by_device))
    else:
        table.add_row("error.type", f"[bold red]{attempt.error.type}[/]")
        table.add_row("error.message", attempt.error.message)
    console.print(table)


def show_stages(ours: httpx.Client, action_attempt_id: str) -> None:
    """The attempt's timeline, in milliseconds from its acceptance."""
    answer = ours.post("/thumbturn/attempts/timeline", json={"action_attempt_id": action_attempt_id})
    timeline = answer.raise_for_status().json()["timeline"]
    accepted = datetime.fromisoformat(timeline["accepted_at"])
    table = Table("after", "stage", "evidence", "said")
    for stage in timeline["stages"]:
        after = datetime.fromisoformat(stage["occurred_at"]) - accepted
        table.add_row(
            f"{after.total_seconds() * 1_000:.1f} ms", stage["stage"], stage["evidence"], stage["note"]
        )
    console.print(table)


def show_events(seam: Seam, action_attempt_id: str) -> None:
    """The events that belong to the attempt."""
    table = Table("event", "occurred at", "method")
    for event in seam.events.list(since="2000-01-01T00:00:00Z"):
        if getattr(event, "action_attempt_id", None) == action_attempt_id:
            table.add_row(event.event_type, event.occurred_at, getattr(event, "method", ""))
    console.print(table)


if __name__ == "__main__":
    main()
