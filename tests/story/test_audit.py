"""`thumbturn audit`: the trail of a running server, kept elsewhere, and found to be broken when it is."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing

import pytest

from tests.fixtures.server import COMMAND, Caller


def audit(server, *arguments):
    """The command line, to its end."""
    command = [COMMAND, "audit", *map(str, arguments), "--data", str(server.data)]
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)


@pytest.fixture
def used(fresh_server):
    """A server with five entries: its beginning, two unlocks, a key that came and went."""
    me = Caller(fresh_server, fresh_server.client(), "")
    door = me.locks()[0]["device_id"]
    for _ in range(2):
        me.call("/locks/unlock_door", device_id=door, sync=True)
    key = me.call("/thumbturn/keys/create", name="guest")["key"]
    me.call("/thumbturn/keys/revoke", key_id=key["key_id"])
    return fresh_server


def spoil(server, statement):
    """Do to the database what no server would."""
    with closing(sqlite3.connect(server.data / "thumbturn.db", timeout=10)) as connection, connection:
        assert connection.execute(statement).rowcount == 1


def test_the_trail_of_a_server_is_whole_also_after_a_restart(used):
    """What was done is verified, across a restart, and the head can be noted."""
    first = audit(used, "verify")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("5 entries, nothing was changed.\nHead: 5:")
    used.stop()
    used.start()
    assert audit(used, "verify").stdout == first.stdout
    noted = first.stdout.split("Head: ")[1].strip()
    Caller(used, used.client(), "").call("/thumbturn/sandbox/clear_faults")
    later = audit(used, "verify", "--expect", noted)
    assert (later.returncode, later.stdout.split(",")[0]) == (0, "6 entries")


def test_an_export_is_checked_without_the_server(used, tmp_path):
    """JSON lines hold the whole trail; where a line was changed, taken or moved, it shows."""
    exported = audit(used, "export")
    lines = exported.stdout.splitlines()
    assert [json.loads(line)["entry"]["action"] for line in lines] == [
        "/workspaces/create",
        "UNLOCK_DOOR",
        "UNLOCK_DOOR",
        "/thumbturn/keys/create",
        "/thumbturn/keys/revoke",
    ]
    kept = tmp_path / "trail.jsonl"
    head = exported.stderr.removeprefix("Head: ").strip()
    assert audit(used, "export", "--to", kept).stdout == ""
    assert kept.read_text().splitlines() == lines
    used.stop()
    assert audit(used, "verify", "--file", kept, "--expect", head).returncode == 0
    changed = lines[1].replace("api_key", "nobody!")
    assert changed != lines[1]
    for spoiled, said in (
        ([lines[0], changed, *lines[2:]], "Entry 2 does not fit its seal"),
        ([lines[0], *lines[2:]], "Where entry 2 should be, entry 3 follows."),
        ([lines[0], lines[2], lines[1], *lines[3:]], "Where entry 2 should be, entry 3 follows."),
        (lines[:-1], "The chain does not hold entry 5"),
        ([*lines, "no entry"], "line 6 of"),
        ([*lines, '{"number": "6", "seal": null, "entry": {}}'], "line 6 of"),
    ):
        kept.write_text("\n".join(spoiled) + "\n")
        ended = audit(used, "verify", "--file", kept, "--expect", head)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert said in ended.stderr


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update attempts set actor = 'somebody else' where rowid_is_first", "Entry 2 does not fit its seal"),
        ("delete from attempts where rowid_is_first", "What entry 2 tells of is gone"),
        ("delete from audit_entries where number = 5", "The chain ends at entry 4"),
        ("delete from audit_entries where number = 3", "Where entry 3 should be, entry 4 follows."),
    ],
)
def test_whoever_was_at_the_database_is_found_out(used, statement, said):
    """A change behind the server's back ends `audit verify` with 1 and a sentence."""
    assert audit(used, "verify").returncode == 0
    first = "id = (select attempt_id from audit_entries where number = 2)"
    spoil(used, statement.replace("rowid_is_first", first))
    ended = audit(used, "verify")
    assert ended.returncode == 1
    assert said in ended.stderr


def test_a_cut_that_hides_itself_is_found_with_a_head_that_was_noted(used):
    """Who cuts the tail and turns the head back deceives the chain, and not a note of the old head."""
    noted = audit(used, "verify").stdout.split("Head: ")[1].strip()
    [seal] = [
        json.loads(line)["seal"]
        for line in audit(used, "export").stdout.splitlines()
        if json.loads(line)["number"] == 4
    ]
    spoil(used, "delete from audit_entries where number = 5")
    spoil(used, f"update workspaces set audit_count = 4, audit_seal = '{seal}'")
    assert audit(used, "verify").returncode == 0
    ended = audit(used, "verify", "--expect", noted)
    assert (ended.returncode, "does not hold entry 5" in ended.stderr) == (1, True)


def test_a_file_that_cannot_be_written_or_read_is_named_in_a_sentence(used, tmp_path):
    """Where an export cannot go, or is none, the program says so and ends."""
    nowhere = audit(used, "export", "--to", tmp_path / "nowhere" / "trail.jsonl")
    assert (nowhere.returncode, nowhere.stdout) == (1, "")
    assert nowhere.stderr.startswith("thumbturn: cannot write ")
    folder = audit(used, "verify", "--file", tmp_path)
    assert folder.returncode == 2
    assert "Traceback" not in nowhere.stderr + folder.stderr


def test_nonsense_for_a_head_is_refused(used):
    """A head that is none is refused with the way to write one."""
    ended = audit(used, "verify", "--expect", "5")
    assert ended.returncode == 2
    assert "NUMBER:SEAL" in ended.stderr
