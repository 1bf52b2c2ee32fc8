"""How the databases are connected to."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import pytest
from sqlalchemy import URL, Engine, text
from sqlalchemy.exc import OperationalError

from tests.fixtures.pooler import pooled
from thumbturn.storage import line
from thumbturn.storage.databases import (
    behind_pooler,
    is_unreachable,
    parse_url,
    reading_engine,
    writing_engine,
)


@pytest.mark.parametrize("made", [writing_engine, reading_engine])
def test_a_database_that_is_not_heard_of_is_given_up(postgres_url: str, made: Callable[[URL], Engine]):
    """After some seconds, and not after the quarter of an hour that the system would wait."""
    # The pooler, because it is asked over TCP; the database of the tests is on a unix socket.
    with pooled(postgres_url) as (url, _), made(behind_pooler(parse_url(url))).connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        with socket.socket(fileno=os.dup(raw.fileno())) as wire:
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5_000
            assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 2
            assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3


def test_what_is_not_answered_is_cut_off_and_ended(postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    """Whoever asks is told that the database is away; when there is a connection again, what the server was
    still doing for him is over.
    """
    monkeypatch.setattr(line, "SILENT_FOR", 1.0)
    asked = line.Line(writing_engine(parse_url(postgres_url)))
    session = asked.connection().execute(text("select pg_backend_pid()")).scalar()
    with pytest.raises(OperationalError) as refused, asked:
        asked.connection().execute(text("select pg_sleep(3600)"))
    assert is_unreachable(refused.value)
    asked.let_go()
    there = text("select count(*) from pg_stat_activity where pid = :pid")
    with asked:
        assert asked.connection().execute(there, {"pid": session}).scalar() == 0
    asked.let_go()


def test_who_is_answered_is_not_cut_off(postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    """However many questions there are in all, and however long nobody asks anything."""
    monkeypatch.setattr(line, "SILENT_FOR", 50.0)
    asked = line.Line(reading_engine(parse_url(postgres_url)))
    who = text("select pg_backend_pid()")
    session = asked.connection().execute(who).scalar()
    for _ in range(4):
        with asked:
            for _ in range(60):
                asked.look()
            assert asked.connection().execute(who).scalar() == session
    for _ in range(200):
        asked.look()
    assert asked.connection().execute(who).scalar() == session
    with asked:
        for _ in range(100):
            asked.look()
        with pytest.raises(OperationalError):
            asked.connection().execute(who)
    asked.let_go()
