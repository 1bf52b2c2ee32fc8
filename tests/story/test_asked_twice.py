"""``Idempotency-Key`` as its users see it: over real connections, and across restarts."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.fixtures.server import Caller, LiveServer

#: How many ask at once.
CROWD = 1_000


def test_a_thousand_at_once_are_one_attempt(any_server: LiveServer):
    """A thousand equal calls on a thousand connections begin one attempt, and get one answer."""
    me = Caller(any_server, any_server.client(), any_server.credentials["workspace_id"])
    door = me.locks()[0]["device_id"]

    async def crowd() -> list[tuple[int, bytes, bool]]:
        headers = {"authorization": me.http.headers["authorization"], "idempotency-key": "crowd"}
        # The pool of httpx looks through all of its connections for each call, which takes half a minute.
        each_its_own = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(
            any_server.endpoint, headers=headers, connector=each_its_own
        ) as client:

            async def ask() -> tuple[int, bytes, bool]:
                async with client.post("/locks/unlock_door", json={"device_id": door}) as answer:
                    return answer.status, await answer.read(), "idempotent-replayed" in answer.headers

            return await asyncio.gather(*[ask() for _ in range(CROWD)])

    answers = asyncio.run(crowd())
    assert {status for status, _, _ in answers} == {200}
    assert len({content for _, content, _ in answers}) == 1
    assert sum(not is_replayed for _, _, is_replayed in answers) == 1
    assert len(me.call("/action_attempts/list")["action_attempts"]) == 1
    commands = [line for line in journal(any_server) if door in line and '"unlock"' in line]
    assert len(commands) == 1


def test_a_restart_between_the_two(any_server: LiveServer):
    """The second call after ``kill -9`` or an orderly restart is answered as the first, and does nothing."""
    credentials = any_server.credentials
    me = Caller(any_server, any_server.client(), credentials["workspace_id"])
    door = me.locks()[0]["device_id"]
    person = any_server.client(credentials["personal_access_token"])

    def both() -> list[bytes]:
        unlocked = me.http.post(
            "/locks/unlock_door", json={"device_id": door}, headers={"idempotency-key": "k"}
        )
        made = person.post(
            "/workspaces/create", json={"name": "Once", "is_sandbox": True}, headers={"idempotency-key": "k"}
        )
        return [unlocked.content, made.content]

    first = both()
    any_server.kill9()
    any_server.start()
    assert both() == first
    any_server.restart()
    assert both() == first
    assert len(me.call("/action_attempts/list")["action_attempts"]) == 1
    assert len(person.post("/workspaces/list", json={}).json()["workspaces"]) == 2


def test_nothing_of_a_key_is_in_clear_on_disk(fresh_server: LiveServer):
    """Neither the key, nor a PIN that it is compared by, nor a token that was answered is on disk."""
    client = fresh_server.client()
    secret = "key-that-nobody-else-may-know"
    door = client.post("/devices/list", json={}).json()["devices"][0]["device_id"]
    pressed = client.post(
        "/locks/simulate/keypad_code_entry",
        json={"device_id": door, "code": "73914"},
        headers={"idempotency-key": secret},
    )
    made = client.post(
        "/thumbturn/keys/create", json={"name": "n"}, headers={"idempotency-key": secret}
    ).json()
    assert pressed.status_code == 200
    fresh_server.kill9()
    written = b"".join(
        path.read_bytes() for path in [*fresh_server.data.iterdir(), fresh_server.log] if path.is_file()
    )
    for text in (secret, "73914", made["token"]):
        assert text.encode() not in written


def journal(server: LiveServer) -> list[str]:
    """What the virtual devices did, a line each."""
    # On PostgreSQL the devices of each cell have a file of their own.
    files = sorted(server.data.rglob("virtual-world*.jsonl"))
    assert files
    return [line for file in files for line in file.read_text().splitlines()]
