"""Brings a real Home Assistant up with devices of ours, and takes it down by its process id."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

HERE = Path(__file__).parent
PYTHON = HERE / ".venv" / "bin" / "python"
#: Seconds. It takes two or three, and more beside other load.
READY_WITHIN = 120


def missing() -> str | None:
    """Why the lab cannot run here; ``None`` if it can."""
    if (HERE / ".venv" / ".ready").exists():
        return None
    return "Home Assistant is not installed: `make test-labs LABS=home_assistant` gets it (700 MB)"


class Stack:
    """Home Assistant with the custom component ``lab``, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._config, self._world = folder / "config", folder / "world"
        shutil.copytree(HERE / "custom_components", self._config / "custom_components")
        shutil.copy(HERE / "configuration.yaml", self._config)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None
        #: Of the first user, who may do anything, and of one who is no administrator: his is thumbturn's.
        self._admin = self.token = ""

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and return when it says that all of it is up."""
        self._begin()
        if not self.token:
            self._until(lambda: self._call("/api/onboarding") is not None)
            self._admin = asyncio.run(self._onboard())
            self.token = asyncio.run(self._add_user())
            # What it has in its registers it writes down within seconds, or when it is asked to end.
            self.stop(at_once=False)
            self._begin()
        self._until(lambda: (self._call("/api/config", token=self.token) or {}).get("state") == "RUNNING")

    def stop(self, *, at_once: bool = True) -> None:
        """Kill it, as a hub that loses its power; or have it end."""
        process, self._process = self._process, None
        if process is not None:
            if at_once:
                process.kill()
            else:
                process.terminate()
            process.wait(30)

    def order(self, do: str, thing: str, **more: Any) -> dict[str, Any]:
        """Do something at a device; how it really is then."""
        so: dict[str, Any] | None = self._call("/api/lab", json.dumps({"do": do, "thing": thing, **more}))
        assert so is not None, "Home Assistant does not answer"
        return so

    def really(self, thing: str) -> dict[str, Any]:
        """How a device really is, by its own record: also while Home Assistant is away."""
        kept = self._world / f"{thing}.json"
        return dict(json.loads(kept.read_text())) if kept.exists() else self.order("nothing", thing)

    def did(self, thing: str) -> list[dict[str, Any]]:
        """What a device did, by its own log."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [each for each in map(json.loads, lines) if each["device"] == thing and each["moved"]]

    @property
    def log(self) -> Path:
        """Where the devices write what they did."""
        return self._world / "log.jsonl"

    def forget(self) -> None:
        """Empty the log."""
        self.log.unlink(missing_ok=True)

    def admin(self, *commands: dict[str, Any]) -> list[Any]:
        """What is answered to these commands of the WebSocket API."""
        return asyncio.run(self._ask(self._admin, *commands))

    # inside -------------------------------------------------------------------------------------

    def _begin(self) -> None:
        words = {
            "PATH": f"{PYTHON.parent}:{os.environ['PATH']}",
            "VIRTUAL_ENV": str(PYTHON.parent.parent),
            "LAB_PORT": str(self._port),
            "LAB_FOLDER": str(self._world),
        }
        with (self._config.parent / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [PYTHON, "-m", "homeassistant", "-c", self._config, "--skip-pip", "--log-no-color"],
                env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | words,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _until(self, is_so: Any) -> None:
        ends_at = time.monotonic() + READY_WITHIN
        while not is_so():
            assert self._process is not None  # it was started
            if self._process.poll() is not None or time.monotonic() > ends_at:
                self.stop()
                raise RuntimeError(
                    "Home Assistant does not come up:\n"
                    + (self._config.parent / "output.txt").read_text()[-3000:]
                )
            time.sleep(0.2)

    def _call(
        self, path: str, body: str | None = None, *, token: str = "", kind: str = "application/json"
    ) -> Any:
        """What is answered; ``None`` if nothing good is."""
        headers = {"Content-Type": kind, **({"Authorization": f"Bearer {token}"} if token else {})}
        data = None if body is None else body.encode()
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None

    async def _onboard(self) -> str:
        """The token of the first user, made as its page makes it."""
        client = f"{self.url}/"
        user = {"client_id": client, "name": "Lab", "username": "lab", "password": "lab", "language": "en"}
        return await self._token(self._call("/api/onboarding/users", json.dumps(user))["auth_code"])

    async def _add_user(self) -> str:
        """The token of a new user who is no administrator, made as he makes it."""
        new = {"type": "config/auth/create", "name": "thumbturn", "group_ids": ["system-users"]}
        [made] = await self._ask(self._admin, new)
        login = {"username": "thumbturn", "password": "thumbturn"}
        create = {"type": "config/auth_provider/homeassistant/create", "user_id": made["user"]["id"], **login}
        await self._ask(self._admin, create)
        client = f"{self.url}/"
        begin = {"client_id": client, "handler": ["homeassistant", None], "redirect_uri": client}
        flow = self._call("/auth/login_flow", json.dumps(begin))["flow_id"]
        done = self._call(f"/auth/login_flow/{flow}", json.dumps({"client_id": client, **login}))
        return await self._token(done["result"])

    async def _token(self, code: str) -> str:
        """A long-lived token for who has logged in with this code."""
        grant = {"client_id": f"{self.url}/", "grant_type": "authorization_code", "code": code}
        form = "application/x-www-form-urlencoded"
        login = self._call("/auth/token", urllib.parse.urlencode(grant), kind=form)
        wanted = {"type": "auth/long_lived_access_token", "client_name": "thumbturn", "lifespan": 3650}
        return str((await self._ask(login["access_token"], wanted))[0])

    async def _ask(self, token: str, *commands: dict[str, Any]) -> list[Any]:
        results = []
        async with ClientSession() as session, session.ws_connect(f"{self.url}/api/websocket") as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": token})
            await socket.receive_json()
            for number, command in enumerate(commands, 1):
                await socket.send_json({"id": number, **command})
                answer = await socket.receive_json()
                assert answer["success"], answer
                results.append(answer["result"])
        return results


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as kept:
        stack = Stack(Path(kept) / "lab")
        stack.start()
        print(f"Home Assistant is at {stack.url}; a token: {stack.token}")  # noqa: T201 - it is a program
        input("Enter ends it. ")
        stack.stop()
