"""What leaves the server on a connection: the bytes that uvicorn itself would write, in fewer pieces."""

from __future__ import annotations

import asyncio

import pytest
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from thumbturn.api.protocol import EnvelopeProtocol

REQUESTS = {
    "get": b"GET /whole HTTP/1.1\r\nhost: x\r\n\r\n",
    "post": b"POST /whole HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc",
    "expect": b"POST /whole HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\nabc",
    "head": b"HEAD /whole HTTP/1.1\r\nhost: x\r\n\r\n",
    "escaped": b"GET /%77hole?a=%20 HTTP/1.1\r\nhost: x\r\n\r\n",
    "old": b"GET /whole HTTP/1.0\r\nhost: x\r\n\r\n",
    "close": b"GET /whole HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    "upgrade": b"GET /whole HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "pieces": b"GET /pieces HTTP/1.1\r\nhost: x\r\n\r\n",
    "stream": b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n",
    "empty": b"GET /empty HTTP/1.1\r\nhost: x\r\n\r\n",
    "half": b"GET /half HTTP/1.1\r\nhost: x\r\n\r\n",
    "mute": b"GET /mute HTTP/1.1\r\nhost: x\r\n\r\n",
    "in a row": b"GET /whole HTTP/1.1\r\nhost: x\r\n\r\nGET /stream HTTP/1.1\r\nhost: x\r\n\r\n" * 3,
}


async def app(scope, receive, send):
    """Answers in every way in which an application may, and may not."""
    body = scope["method"].encode() + scope["raw_path"] + scope["query_string"]
    body += (await receive())["body"]
    headers = [(b"content-type", b"text/plain")]
    if scope["path"] != "/stream":
        headers.append((b"content-length", b"%d" % (0 if scope["path"] == "/empty" else len(body))))
    if scope["path"] == "/injected":
        headers.append((b"x-said", b"one\r\nx-other: two"))
    if scope["path"] == "/mute":
        return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    match scope["path"]:
        case "/whole" | "/injected":
            await send({"type": "http.response.body", "body": body})
        case "/empty":
            await send({"type": "http.response.body"})
        case "/half":
            await send({"type": "http.response.body", "body": body[:-1]})
        case "/pieces" | "/stream":
            await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": body[:4], "more_body": True})
            await send({"type": "http.response.body", "body": body[4:]})
        case _:
            raise RuntimeError


class Line(asyncio.Transport):
    """The other end of a connection: keeps what was written."""

    def __init__(self):
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data):
        self.written.append(bytes(data))

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


async def talk(protocol, sent):
    """What this protocol writes for these bytes, and whether it hangs up then."""
    config = Config(app, log_config=None, access_log=False, ws="none", lifespan="off")
    config.load()
    state, line = ServerState(), Line()
    connection = protocol(config=config, server_state=state, app_state={})
    connection.connection_made(line)
    connection.data_received(sent)
    while state.tasks:
        await asyncio.gather(*state.tasks)
    connection.connection_lost(None)
    return line


@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS.keys())
async def test_the_same_bytes(sent):
    """Whatever the application does, the client reads what uvicorn would have written."""
    expected, line = await talk(HttpToolsProtocol, sent), await talk(EnvelopeProtocol, sent)
    assert b"".join(line.written) == b"".join(expected.written)
    assert line.closed == expected.closed


async def test_a_header_of_two_lines():
    """A header with a line break in it is a bug, and never written."""
    line = await talk(EnvelopeProtocol, b"GET /injected HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b"x-other" not in b"".join(line.written)
    assert line.written[0].startswith(b"HTTP/1.1 500 ")


async def test_an_answer_that_breaks_off():
    """Of an answer that begins and does not come, nothing is written; the connection ends."""
    line = await talk(EnvelopeProtocol, b"GET /broken HTTP/1.1\r\nhost: x\r\n\r\n")
    assert line.written == []
    assert line.closed


@pytest.mark.parametrize("name", ["get", "post", "escaped", "empty"])
async def test_one_write(name):
    """An answer whose length is known leaves in one piece, head and body."""
    assert len((await talk(EnvelopeProtocol, REQUESTS[name])).written) == 1


async def test_a_stream_begins_at_once():
    """The head of a stream does not wait for what will be streamed."""
    first, *_ = (await talk(EnvelopeProtocol, REQUESTS["stream"])).written
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert first.endswith(b"\r\n\r\n")
