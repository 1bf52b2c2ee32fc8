"""What this server answers in the world of Seam's fake, against what the fake answers to the same calls."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.fixtures.fake_world import IN_FAKE_WORLD
from tests.fixtures.server import LiveServer
from tools.fake_calls import CALLS, ask_all
from tools.fake_compare import differences
from tools.fake_differences import MEANT
from tools.record_fake import RECORD, SERVER, recorded, running_fake

#: What is drawn anew by the fake at each start.
DRAWN = {"webhook.secret", "connect_webview.url", "pagination.next_page_cursor", "pagination.next_page_url"}


@pytest.fixture(scope="module")
def record():
    return json.loads(RECORD.read_text())


@pytest.fixture(scope="module")
def found(record, tmp_path_factory):
    """The differences, of a server that nobody else asks."""
    server = LiveServer(tmp_path_factory.mktemp("compared") / "data", options=IN_FAKE_WORLD).start()
    try:
        return list(differences(record, ask_all(server.endpoint)))
    finally:
        server.close()


def test_every_call_is_on_record(record):
    """The record has an answer to each call, by its name, and to no other."""
    assert list(record) == [call.name for call in CALLS]
    assert len(CALLS) >= 60


def test_it_differs_only_where_it_means_to(found):
    """Status, keys and values are those of the fake, except where a difference is named, with its reason."""
    strange = [each for each in found if not any(meant.covers(each) for meant in MEANT)]
    assert strange == []


@pytest.mark.parametrize("meant", MEANT, ids=lambda meant: meant.what[:40])
def test_no_difference_is_named_that_is_gone(meant, found):
    """Each part of each named difference is there; one that is gone is taken out."""
    for place in meant.places:
        only = meant._replace(places=(place,))
        assert any(only.covers(each) for each in found), place


@pytest.mark.skipif(
    not (SERVER.exists() and shutil.which("node")), reason="needs Node, and `npm ci` in bench/peer"
)
def test_the_record_is_what_the_fake_answers(record):
    """Asked now, the fake answers what is on record."""
    with running_fake() as endpoint:
        now = recorded(ask_all(endpoint))
    assert [each for each in differences(record, now) if each.place not in DRAWN] == []
