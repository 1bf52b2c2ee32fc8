"""Console sessions in the world of Seam's own fake: whose JWT opens what, and until when."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import httpx
import pytest

DOOR = "august_device_1"


def console_session(secret=b"secret", algorithm="HS256", **other):
    """A JWT as tests sign it for the console session of the seed's person."""

    def part(value):
        return base64.urlsafe_b64encode(
            value if isinstance(value, bytes) else json.dumps(value).encode()
        ).rstrip(b"=")

    said = {"user_id": "john_user_id", "key": "john_user_key", "iat": 1_700_000_000, **other}
    signed = b".".join([part({"alg": algorithm, "typ": "JWT"}), part(said)])
    return b".".join([signed, part(hmac.new(secret, signed, hashlib.sha256).digest())]).decode()


def test_a_console_session_is_the_person_s(fake_server):
    """A JWT of the seed's person opens what his access token opens, in a workspace and in none."""
    here = fake_server.client(console_session(), "seed_workspace_1")
    assert here.get("/devices/get", params={"device_id": DOOR}).json()["device"]["device_id"] == DOOR
    nowhere = fake_server.client(console_session()).get("/workspaces/list").json()["workspaces"]
    assert [each["workspace_id"] for each in nowhere] == ["seed_workspace_1"]
    elsewhere = fake_server.client(console_session(), "seed_workspace_2")
    assert elsewhere.get("/devices/list").status_code == 401


def test_a_console_session_lasts_until_its_exp(fake_server):
    """One that says until when it is good is good until then."""
    lasting = fake_server.client(console_session(exp=time.time() + 3_600), "seed_workspace_1")
    assert lasting.get("/devices/list").status_code == 200


@pytest.mark.parametrize(
    "token",
    [
        console_session(exp=1_700_003_600),
        console_session(exp="tomorrow"),
        console_session(exp=float("nan")),
        console_session(secret=b"secrets"),
        console_session(algorithm="none"),
        console_session(user_id="jane_user_id"),
        console_session(key="jane_user_key"),
        console_session()[:-2],
        console_session() + "A" * 5_000,
        "a.b.c",
        "W10.W10.W10",
        "ä.ö.ü",
        f"{base64.urlsafe_b64encode(b'[' * 2_900).decode()}.b.c",
    ],
    ids=[
        "over",
        "over at no moment",
        "over at no number",
        "another secret",
        "no signature",
        "another person",
        "another key",
        "cut",
        "long",
        "no JWT",
        "lists",
        "letters",
        "deep",
    ],
)
def test_no_other_console_session_is_taken(token, fake_server):
    """A JWT that is not the person's, or not signed with the secret that all know, opens nothing."""
    headers = {"authorization": f"Bearer {token}".encode("latin-1"), "seam-workspace": "seed_workspace_1"}
    assert httpx.get(f"{fake_server.endpoint}/devices/list", headers=headers).status_code == 401


def test_other_worlds_take_no_console_session(server):
    """Elsewhere it is an unknown token."""
    assert server.client(console_session(), "seed_workspace_1").get("/devices/list").status_code == 401
