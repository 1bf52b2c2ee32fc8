"""A house whose doors are real: the server as a process of its own, linked to the hub of a lab."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from labs.doors import Doors
from tests.fixtures.server import LiveServer

#: s. A hub that was just started reads all of its devices first.
ONLINE_WITHIN = 60.0
#: s. More than any command takes, which the server ends by itself.
_ANSWERED_WITHIN = 90.0


class House:
    """What somebody with a key of the workspace can do."""

    def __init__(self, server: LiveServer, doors: Doors) -> None:
        self.server, self.doors = server, doors
        access = server.client(server.credentials["personal_access_token"])
        made = _body(access.post("/workspaces/create", json={"name": "Home", "is_sandbox": False}))
        workspace_id = made["workspace"]["workspace_id"]
        access.headers["seam-workspace"] = workspace_id
        self.key: str = _body(access.post("/thumbturn/keys/create", json={"name": "lab"}))["token"]
        self._http = self.caller()
        self.call("/thumbturn/hubs/link", provider=doors.provider, settings=doors.settings)
        ids = {each["display_name"]: each["device_id"] for each in self.call("/devices/list")["devices"]}
        #: By the lab's name of each lock.
        self.device_ids = {door: ids[name] for door, name in doors.locks.items()}
        self.all_online()

    def caller(self) -> httpx.Client:
        """A connection of its own, for a thread of its own."""
        client = self.server.client(self.key)
        client.timeout = httpx.Timeout(_ANSWERED_WITHIN)
        return client

    def call(self, path: str, **ask: Any) -> dict[str, Any]:
        """The answer to an ask, which must be a success."""
        return _body(self._http.post(path, json=ask))

    def command(
        self, http: httpx.Client, door: str, *, locked: bool, within: int, wait: bool = True
    ) -> dict[str, Any]:
        """The attempt that came of a command: at its end, or with ``wait=False`` as it was accepted."""
        path = "/locks/lock_door" if locked else "/locks/unlock_door"
        ask = {"device_id": self.device_ids[door], "deadline_seconds": within}
        headers = {"prefer": "wait=60"} if wait else {}
        attempt: dict[str, Any] = _body(http.post(path, json=ask, headers=headers))["action_attempt"]
        return attempt

    def attempt(self, id: str) -> dict[str, Any]:
        """How an attempt stands."""
        attempt: dict[str, Any] = self.call("/action_attempts/get", action_attempt_id=id)["action_attempt"]
        return attempt

    def state(self, door: str) -> dict[str, Any]:
        """What the server believes of a lock."""
        properties: dict[str, Any] = self.call("/devices/get", device_id=self.device_ids[door])["device"][
            "properties"
        ]
        return properties

    def all_online(self) -> None:
        """Return when every lock was read and can be reached."""
        for door in self.device_ids:
            self.until(lambda door=door: self.state(door)["online"], f"{door} is not online")

    def until(self, is_so: Any, complaint: str, within: float = ONLINE_WITHIN) -> None:
        """Return when it is so."""
        limit = time.monotonic() + within
        while not is_so():
            assert time.monotonic() < limit, complaint
            time.sleep(0.05)

    def lock_up(self) -> None:
        """Every lock is sound, and every bolt is thrown."""
        for door in self.device_ids:
            self.doors.fault(door, None)
        self.all_online()
        for door in self.device_ids:
            ended = self.command(self._http, door, locked=True, within=30)
            assert ended["status"] == "success", (door, ended)


@contextmanager
def house(doors: Doors, folder: Path) -> Iterator[House]:
    """The house, for as long as the block lasts; what the server writes goes into the folder."""
    # More commands than anybody gives to one door in a minute.
    server = LiveServer(folder / doors.provider, options=("--rate-limits", ""))
    try:
        yield House(server.start(), doors)
    finally:
        server.close()


def _body(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body
