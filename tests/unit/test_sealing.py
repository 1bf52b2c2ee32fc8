"""Secrets that must be read again are unreadable without the key."""

from __future__ import annotations

import base64
import stat

import pytest

from thumbturn.domain.ids import random_bytes
from thumbturn.sealing import FILE_NAME, CannotOpen, KeyUnusable, Seal, given_keys, kept_key, new_key

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
OLD, NEW = random_bytes(32), random_bytes(32)


def written(key: bytes) -> str:
    """A key as a setting has it."""
    return base64.b64encode(key).decode()


def test_sealed_text_opens_again():
    """What was sealed opens to the same text, and shows nothing of it before."""
    seal = Seal([NEW])
    sealed = seal.seal(SECRET, "webhook:1")
    assert seal.open(sealed, "webhook:1") == SECRET
    assert SECRET[:8] not in sealed
    assert SECRET.encode()[6:] not in base64.b64decode(sealed.split(".")[2])


def test_same_text_is_sealed_differently_each_time():
    """Who sees two sealed texts cannot tell whether they are the same."""
    seal = Seal([NEW])
    assert len({seal.seal(SECRET, "webhook:1") for _ in range(100)}) == 100


def test_sealed_text_belongs_to_its_context():
    """A sealed text that was copied to another place does not open there."""
    seal = Seal([NEW])
    sealed = seal.seal(SECRET, "webhook:1")
    with pytest.raises(CannotOpen, match="belongs elsewhere"):
        seal.open(sealed, "webhook:2")


def test_changed_text_does_not_open():
    """A single changed bit, anywhere behind the key's name, is found out."""
    seal = Seal([NEW])
    head, body = seal.seal(SECRET, "webhook:1").rsplit(".", 1)
    raw = base64.b64decode(body)
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(CannotOpen) as problem:
            seal.open(f"{head}.{base64.b64encode(changed).decode()}", "webhook:1")
        assert "whsec" not in str(problem.value)


@pytest.mark.parametrize(
    "sealed", ["", "v1", "v1.00000000.", "v1.00000000.%%%", SECRET, "v1.é.AAAA", "a.b.c.d"]
)
def test_what_was_never_sealed_does_not_open(sealed):
    """Anything else is refused, and not shown."""
    with pytest.raises(CannotOpen) as problem:
        Seal([NEW]).open(sealed, "webhook:1")
    assert SECRET not in str(problem.value)


def test_short_body_under_the_right_key_does_not_open():
    """A body too short to hold anything is refused like one that was changed."""
    seal = Seal([NEW])
    head, _ = seal.seal(SECRET, "webhook:1").rsplit(".", 1)
    with pytest.raises(CannotOpen):
        seal.open(f"{head}.AAAA", "webhook:1")


def test_another_version_does_not_open():
    """A form of a later version is not guessed at."""
    seal = Seal([NEW])
    with pytest.raises(CannotOpen):
        seal.open(seal.seal(SECRET, "x").replace("v1.", "v2.", 1), "x")


def test_first_key_seals_and_all_open():
    """After a new key was put before the old one, old texts still open, and new ones need the new key."""
    old = Seal([OLD]).seal(SECRET, "webhook:1")
    both = Seal([NEW, OLD])
    assert both.open(old, "webhook:1") == SECRET
    new = both.seal(SECRET, "webhook:1")
    assert Seal([NEW]).open(new, "webhook:1") == SECRET
    with pytest.raises(CannotOpen, match="not among those given"):
        Seal([OLD]).open(new, "webhook:1")


def test_keys_are_read_from_a_setting():
    """Keys in a setting are separated by commas, the first is the one that seals."""
    assert given_keys(f"{written(NEW)}, {written(OLD)}") == [NEW, OLD]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("short", id="short"),
        pytest.param(written(NEW[:31]), id="a byte missing"),
        pytest.param(written(NEW + b"x"), id="a byte too many"),
        pytest.param(f"{written(NEW)},", id="an empty one behind it"),
        pytest.param("é" * 44, id="no base64"),
    ],
)
def test_key_that_is_none_is_refused_and_not_shown(text):
    """A key of another length or form is refused with a way to make one, and is not repeated."""
    with pytest.raises(KeyUnusable, match="openssl rand -base64 32") as problem:
        given_keys(text)
    assert not text or text not in str(problem.value)


def test_key_file_is_made_once_for_its_owner_only(tmp_path):
    """A data folder gets a key of its own, which stays, and which nobody else can read."""
    assert kept_key(tmp_path) is None
    key = new_key(tmp_path)
    assert kept_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    other = tmp_path / "other"
    other.mkdir()
    assert new_key(other) != key


def test_key_file_that_others_can_read_is_refused(tmp_path):
    """A key that others may have read already is not used without a word."""
    new_key(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o640)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        kept_key(tmp_path)


def test_broken_key_file_is_refused(tmp_path):
    """A key file that holds no key is never replaced: what was sealed with it would be lost."""
    path = tmp_path / FILE_NAME
    path.write_text("half a k")
    path.chmod(0o600)
    with pytest.raises(KeyUnusable, match=FILE_NAME):
        kept_key(tmp_path)
    assert path.read_text() == "half a k"


def test_ring_without_a_key_is_none():
    """Sealing needs a key."""
    with pytest.raises(KeyUnusable):
        Seal([])
