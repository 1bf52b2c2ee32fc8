"""How the databases are connected to."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import pytest
from sqlalchemy import URL, Engine

from tests.fixtures.pooler import pooled
from thumbturn.storage.databases import behind_pooler, parse_url, reading_engine, writing_engine


@pytest.mark.parametrize("made", [writing_engine, reading_engine])
def test_a_database_that_is_not_heard_of_is_given_up(postgres_url: str, made: Callable[[URL], Engine]):
    """After some seconds, and not after the quarter of an hour that the system would wait."""
    # The pooler, because it is asked over TCP; the database of the tests is on a unix socket.
    with pooled(postgres_url) as (url, _), made(behind_pooler(parse_url(url))).connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        with socket.socket(fileno=os.dup(raw.fileno())) as line:
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5_000
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 2
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
