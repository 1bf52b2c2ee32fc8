"""What is no HTTP gets an answer in the envelope, from the real server."""

from __future__ import annotations

import json
import socket
from contextlib import suppress

import pytest


@pytest.mark.parametrize(
    "sent",
    [
        b"BREW /coffee HTTP/1.1\r\nhost: x\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["method", "words", "header", "lengths", "tls"],
)
def test_what_is_no_http(server, sent):
    """A request that cannot be read is 400 in the envelope, with its request id, and the connection ends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(sent)
        status, error = answer_on(connection)
    assert status == "HTTP/1.1 400 Bad Request"
    assert error == {"type": "unreadable_request", "message": "This could not be read as an HTTP request"}


@pytest.mark.parametrize("begin", [b"GET /health HTTP/1.1\r\nx: ", b"GET /"], ids=["header", "target"])
def test_headers_without_end(server, begin):
    """A request line or a header that does not end is refused before it fills the memory."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        sent = connection.send(begin)
        with suppress(ConnectionError):
            while sent < 64 << 20:
                sent += connection.send(b"x" * 65_536)
    assert sent < 64 << 20


def test_a_long_query_is_read_again_and_again(server):
    """The bound is for each request, not for all of a connection."""
    with server.client() as client:
        ids = [f"{number:036}" for number in range(1_200)]
        for _ in range(12):
            assert client.get("/devices/list", params={"device_ids": ids}).json()["devices"] == []


def answer_on(connection):
    """The status line and the error of the answer; the connection must end with it."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert headers["content-type"] == "application/json"
    error = json.loads(body)["error"]
    assert error.pop("request_id") == headers["seam-request-id"]
    return status, error
