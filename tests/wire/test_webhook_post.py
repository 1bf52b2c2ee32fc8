"""The client that posts webhooks, before real servers that behave in every way a server can."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from tests.fixtures.sink import NAME, OK, abort, answering, post_once, silent, sink
from thumbturn.webhooks import post as post_module


async def test_post_arrives_as_it_was_given(poster_for):
    """Path, query, headers and body arrive as given; the name is in the Host header."""
    async with sink(answering(OK)) as it:
        posted = await post_once(poster_for(), it, "/a%2Fb/%41?c=%20d&e=/../")
    assert (posted.status, posted.error) == (200, None)
    head, _, body = it.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().splitlines()
    assert lines[0] == "POST /a%2Fb/%41?c=%20d&e=/../ HTTP/1.1"
    assert f"Host: {NAME}:{it.port}" in lines
    assert "X-Mine: yes" in lines
    assert body == b'{"a":1}'
    assert not [
        line for line in lines if line.lower().startswith(("cookie", "authorization", "accept-encoding"))
    ]


async def test_nothing_of_the_machine_goes_along(poster_for, monkeypatch, tmp_path):
    """A proxy or a .netrc of the environment is not used, and a cookie is not kept."""
    (tmp_path / ".netrc").write_text(
        f"machine 127.0.0.1 login me password secret\nmachine {NAME} login me password s\n"
    )
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9/")
    poster = poster_for()
    cookie = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
    async with sink(answering(cookie)) as it:
        for _ in range(2):
            assert (await post_once(poster, it)).status == 200
    assert not [each for each in it.requests if b"cookie" in each.lower() or b"authorization" in each.lower()]


async def test_connection_is_used_again(poster_for):
    """Posts one after the other share a connection."""
    poster = poster_for()
    async with sink(answering(OK)) as it:
        for _ in range(5):
            assert (await post_once(poster, it)).status == 200
    assert (len(it.requests), it.connections) == (5, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_not_followed(poster_for, status):
    """A redirect is an answer like any other: nobody goes where it leads."""
    async with sink(answering(OK)) as other:
        where = f"Location: http://127.0.0.1:{other.port}/"
        moved = f"HTTP/1.1 {status} Moved\r\n{where}\r\nContent-Length: 0\r\n\r\n"
        async with sink(answering(moved.encode())) as it:
            posted = await post_once(poster_for(), it)
    assert (posted.status, posted.error) == (status, "answered with a redirect, which is not followed")
    assert other.connections == 0


@pytest.mark.parametrize("status", [200, 204, 400, 410, 500, 503])
async def test_status_is_told(poster_for, status):
    """Whatever the status is, it is told, and no error beside it."""
    answer = f"HTTP/1.1 {status} Reason\r\nContent-Length: 0\r\n\r\n".encode()
    async with sink(answering(answer)) as it:
        assert (await post_once(poster_for(), it))[::2] == (status, None)


async def test_long_answer_is_not_read_to_its_end(poster_for):
    """Of an answer of ten megabytes a little is read; then its connection is closed, and not used again."""
    sent = []

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n")
        for _ in range(160):
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent.append(65_536)

    poster = poster_for()
    async with sink(flood) as it:
        assert (await post_once(poster, it))[::2] == (200, None)
        assert (await post_once(poster, it))[::2] == (200, None)
        assert it.connections == 2
        # What was taken off its hands is in the buffers of two sockets at most.
        assert sum(sent) < 2 * 10_485_760


async def test_compressed_answer_is_not_unpacked(poster_for):
    """A small answer that would unpack to ten megabytes is small: its connection is used again."""
    bomb = gzip.compress(bytes(10 << 20))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    poster = poster_for()
    async with sink(answering(head.encode() + bomb)) as it:
        for _ in range(2):
            assert (await post_once(poster, it))[::2] == (200, None)
        assert it.connections == 1


async def test_slow_body_is_not_waited_for(poster_for, monkeypatch):
    """Once the status is there, a body that drips is given up: the status said it all."""
    monkeypatch.setattr(post_module, "READ_WITHIN", 0.05)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        await silent(reader, writer)

    async with sink(drip) as it:
        assert (await post_once(poster_for(time_out=60), it))[::2] == (200, None)


async def test_body_that_breaks_off_changes_nothing(poster_for):
    """An answer whose body ends too soon was an answer; its connection is not used again."""
    cut = answering(b"HTTP/1.1 201 OK\r\nContent-Length: 1000\r\n\r\nx", then=lambda writer: writer.close())
    async with sink(cut) as it:
        assert (await post_once(poster_for(), it))[::2] == (201, None)


@pytest.mark.parametrize(
    "beginning", [b"", b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
async def test_answer_that_does_not_come_is_given_up(poster_for, beginning):
    """A server that hangs, before or amid its head, is given up when the time is over."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        await silent(reader, writer)

    async with sink(hang) as it:
        posted = await post_once(poster_for(time_out=0.1), it)
    assert posted[::2] == (None, "no answer within 0.1 s")


async def test_headers_that_drip_do_not_prolong_it(poster_for):
    """The time is for all of it: bytes that keep coming do not make it longer."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-A: b\r\n")
            await asyncio.sleep(0.02)

    async with sink(drip) as it:
        assert (await post_once(poster_for(time_out=0.2), it))[::2] == (None, "no answer within 0.2 s")


@pytest.mark.parametrize("end", [abort, asyncio.StreamWriter.close], ids=["reset", "closed"])
async def test_connection_that_ends_is_told(poster_for, end):
    """A connection that is reset or closed without an answer is told as that, and posted to only once."""
    async with sink(answering(then=end)) as it:
        posted = await post_once(poster_for(), it)
        assert posted[::2] == (None, "the connection was closed without an answer")
        assert len(it.requests) == 1


async def test_nobody_there_is_told(poster_for):
    """A port that nobody listens on refuses the connection."""
    async with sink(answering(OK)) as it:
        pass
    assert (await post_once(poster_for(), it))[::2] == (None, "the connection was refused")


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x00\x00",
        b"HTTP/9.9 whatever\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 5_000 + b"\r\n",
        b"\r\n\r\n\r\n",
        b"\x00" * 10_000,
        bytes(range(256)) * 10,
    ],
    ids=lambda answer: repr(answer[:24]),
)
async def test_garbage_is_told(poster_for, answer):
    """What is no HTTP is told as that, whatever it is; nothing is raised, and nothing of it is shown."""
    async with sink(answering(answer, then=lambda writer: writer.close())) as it:
        status, _, error = await post_once(poster_for(), it)
    assert status is None
    assert error in ("what it answered is not HTTP", "the connection was closed without an answer")


async def test_old_http_is_understood(poster_for):
    """HTTP/1.0 with a body that ends with the connection is an answer."""
    old = answering(b"HTTP/1.0 200 OK\r\n\r\nok", then=lambda writer: writer.close())
    async with sink(old) as it:
        assert (await post_once(poster_for(), it))[::2] == (200, None)
