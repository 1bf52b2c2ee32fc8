"""Worlds do not mix: a server begins in one only where nothing of another is, and shows it to whom it may."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from base64 import b64encode

import pytest

from tests.fixtures.fake_world import IN_FAKE_WORLD, fake, fake_caller
from tests.fixtures.server import COMMAND, READY_WITHIN
from thumbturn.credentials import read_credentials, write_credentials
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.ports import Seed
from thumbturn.settings import Settings
from thumbturn.storage.open import open_store
from thumbturn.worlds.opening import (
    AnotherWorld,
    OpenToStrangers,
    claim_folder,
    require_loopback,
    require_world,
    settled_in,
)

FAKE = "fake-seam-connect"


def serve(*arguments, **environment):
    """What the command says that does not come to serving."""
    return subprocess.run(
        [COMMAND, "serve", "--port", "0", *map(str, arguments)],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
        text=True,
        timeout=60,
    )


def test_the_fake_world_outlives_a_restart_and_takes_no_other_beside_it(new_server):
    """In a folder of its own it goes on where it was; no other world starts there, and nothing is lost."""
    server = new_server(options=IN_FAKE_WORLD)
    caller = fake_caller(server)
    caller.http.post(
        "/locks/unlock_door", json={"device_id": "august_device_1"}, headers={"prefer": "wait=10"}
    )
    server.stop()
    refused = serve("--data", server.data)
    assert refused.returncode == 1
    assert f"holds the world {FAKE}" in refused.stderr
    server.start()
    device = caller.call("/devices/get", device_id="august_device_1")["device"]
    assert device["properties"]["locked"] is False
    events = caller.call("/events/list", since="2020-01-01T00:00:00Z")["events"]
    assert [each["event_id"] for each in events].count("event1") == 1


def test_the_fake_world_is_served_from_postgresql(new_server, postgres_url):
    """Kept in PostgreSQL it is the same world, also after a restart, and no other is served from there."""
    server = new_server(database_url=postgres_url, options=IN_FAKE_WORLD)
    caller = fake_caller(server)
    webview = caller.call("/connect_webviews/create")["connect_webview"]["connect_webview_id"]
    assert fake(server, "complete_connect_webview", connect_webview_id=webview).status_code == 200
    attempt = caller.call("/locks/unlock_door", device_id="august_device_1")["action_attempt"]
    overruled = {
        "action_attempt_id": attempt["action_attempt_id"],
        "status": "success",
        "result": {"so": "said"},
    }
    assert fake(server, "update_action_attempt", **overruled).status_code == 200
    server.restart()
    assert len(caller.call("/devices/list")["devices"]) == 6
    ids = {"action_attempt_id": attempt["action_attempt_id"]}
    assert caller.call("/action_attempts/get", **ids)["action_attempt"]["result"] == {"so": "said"}
    assert len(fake(server, "database", "GET").json()["connected_accounts"]) == 4
    server.stop()
    refused = serve("--data", server.data, "--database-url", postgres_url)
    assert refused.returncode == 1
    assert f"holds the world {FAKE}" in refused.stderr


def test_the_fake_world_does_not_begin_where_another_is(fresh_server):
    """On a folder that holds another world it refuses to start, and that goes on as before."""
    fresh_server.stop()
    refused = serve(*IN_FAKE_WORLD, "--data", fresh_server.data)
    assert refused.returncode == 1
    assert f"holds something else than the world {FAKE}" in refused.stderr
    fresh_server.start()
    assert fresh_server.client().get("/devices/list").json()["devices"]


def test_the_fake_world_is_not_shown_to_other_machines(tmp_path):
    """On an address that other machines reach it refuses to start."""
    refused = serve(*IN_FAKE_WORLD, "--host", "0.0.0.0", "--data", tmp_path / "data")
    assert refused.returncode == 1
    assert "--listen-anywhere" in refused.stderr


@pytest.mark.parametrize(
    ("host", "how", "is_refused"),
    [
        ("0.0.0.0", {"world": FAKE}, True),
        ("0.0.0.0", {"world": FAKE, "listen_anywhere": True}, False),
        ("0.0.0.0", {"world": "sandbox"}, False),
        ("127.0.0.2", {"world": FAKE}, False),
    ],
    ids=["everywhere", "everywhere, as was said", "another world", "this machine"],
)
def test_only_the_fake_world_minds_who_sees_it(host, how, is_refused):
    """Loopback is taken by every world, and everything by other worlds or if it was said."""
    with socket.socket() as bound:
        bound.bind((host, 0))
        if is_refused:
            with pytest.raises(OpenToStrangers):
                require_loopback(Settings(**how), bound)
        else:
            require_loopback(Settings(**how), bound)


@pytest.mark.parametrize(
    ("held", "world", "is_refused"),
    [
        ([], FAKE, False),
        (["seed_workspace_1"], FAKE, False),
        (["other"], FAKE, True),
        ([], "empty", False),
        (["other"], "sandbox", False),
        (["seed_workspace_1"], "sandbox", True),
    ],
    ids=lambda value: "-".join(value) or "nothing" if isinstance(value, list) else str(value),
)
async def test_a_database_is_of_one_world(held, world, is_refused, database_url, tmp_path):
    """Whatever a database holds decides which world may be served from it, on either kind of database."""
    store = open_store(database_url)
    try:
        for id in held:
            await store.add_workspace(
                Workspace(id=id, name=id, is_sandbox=True), user_id=None, seed=Seed((), ()), keys=[]
            )
        settings = Settings(world=world, data=tmp_path)
        if is_refused:
            with pytest.raises(AnotherWorld):
                await require_world(settings, store)
        else:
            await require_world(settings, store)
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("workspace_id", "world", "is_refused"),
    [
        ("seed_workspace_1", "sandbox", True),
        ("other", FAKE, True),
        ("seed_workspace_1", FAKE, False),
        ("other", "sandbox", False),
    ],
)
async def test_a_folder_is_of_one_world(workspace_id, world, is_refused, sqlite_url, tmp_path):
    """The folder is looked at too: its database may be somewhere else today."""
    folder = tmp_path / "folder"
    folder.mkdir()
    write_credentials(folder, {"workspace_id": workspace_id})
    store = open_store(sqlite_url)
    try:
        settings = Settings(world=world, data=folder)
        if is_refused:
            with pytest.raises(AnotherWorld):
                await require_world(settings, store)
        else:
            await require_world(settings, store)
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("name", "text", "is_refused"),
    [
        ("encryption.key", "a key", True),
        ("virtual-world.jsonl", "{}\n", True),
        ("virtual-world.jsonl", "", False),
        ("notes.txt", "mine", False),
    ],
    ids=["a key", "what devices did", "nothing done yet", "something else"],
)
async def test_what_is_left_of_another_world_is_not_gone_on_with(
    name, text, is_refused, sqlite_url, tmp_path
):
    """A folder that lost its credentials and keeps its database elsewhere is taken by other worlds alone."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / name).write_text(text)
    store = open_store(sqlite_url)
    try:
        await require_world(Settings(world="sandbox", data=folder), store)
        settings = Settings(world=FAKE, data=folder)
        if is_refused:
            with pytest.raises(AnotherWorld, match=name):
                await require_world(settings, store)
            # Its own folder it knows.
            claim_folder(settings)
        await require_world(settings, store)
    finally:
        await store.close()


@pytest.mark.parametrize("world", ["sandbox", "empty"])
def test_only_the_fake_world_claims_its_folder(world, tmp_path):
    """Other worlds say nothing before they have something to say; what was said stays."""
    claim_folder(Settings(world=world, data=tmp_path))
    assert read_credentials(tmp_path) == {}
    claim_folder(Settings(world=FAKE, data=tmp_path))
    said = {**read_credentials(tmp_path), "api_key": "mine"}
    write_credentials(tmp_path, said)
    claim_folder(Settings(world=FAKE, data=tmp_path))
    assert read_credentials(tmp_path) == said


def test_a_first_start_of_the_fake_world_that_was_cut_off_is_gone_on_with(new_server, tmp_path):
    """It came as far as its key and no further: the next start is one of the same world."""
    folder = tmp_path / "folder"
    refused = serve(*IN_FAKE_WORLD, "--data", folder, THUMBTURN_ENCRYPTION_KEY="no key")
    assert refused.returncode == 1
    assert "THUMBTURN_ENCRYPTION_KEY" in refused.stderr
    key = folder / "encryption.key"
    key.touch(0o600)
    key.write_text(b64encode(bytes(32)).decode())
    server = new_server(folder, options=IN_FAKE_WORLD)
    assert len(fake_caller(server).call("/devices/list")["devices"]) == 5


def test_the_fake_world_begins_anew_where_nobody_said_where_to_keep_it(tmp_path):
    """Without a folder or a database it works in a new folder that is gone afterwards; others never do."""
    with settled_in(Settings(world=FAKE)) as settled:
        settled.data.mkdir()
        assert settled.data != Settings().data
    assert not settled.data.exists()
    for settings in (
        Settings(world=FAKE, data=tmp_path),
        Settings(world=FAKE, database_url="postgresql://somewhere/else"),
        Settings(world="sandbox"),
    ):
        with settled_in(settings) as settled:
            assert settled.data == settings.data


@pytest.mark.parametrize(
    ("how", "wording"),
    [
        ({"world": FAKE}, "current"),
        ({"world": FAKE, "error_wording": "seed"}, "seed"),
        ({"world": "sandbox"}, "seed"),
    ],
    ids=["the fake's", "as was said", "another world"],
)
def test_the_fake_world_has_the_fake_s_words(how, wording, tmp_path):
    """What is missing is put into words as by the fake, unless it was said how."""
    with settled_in(Settings(data=tmp_path, **how)) as settled:
        assert settled.error_wording == wording


@pytest.mark.parametrize(
    "seen", ["thumbturn-*", "thumbturn-*/data/thumbturn.db", "thumbturn-*/data/encryption.key"]
)
def test_a_start_that_is_broken_off_leaves_no_folder(seen, tmp_path):
    """SIGTERM before the server is ready ends it with 0, without a word, and its folder is gone."""
    server = subprocess.Popen(
        [COMMAND, "serve", "--port", "0", *IN_FAKE_WORLD],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("THUMBTURN_")},
            "TMPDIR": str(tmp_path),
        },
    )
    try:
        limit = time.monotonic() + READY_WITHIN
        while not list(tmp_path.glob(seen)):
            assert server.poll() is None
            assert time.monotonic() < limit, "it never began"
            time.sleep(0.001)
        server.terminate()
        _, said = server.communicate(timeout=20)
    finally:
        server.kill()
    assert server.returncode == 0
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
