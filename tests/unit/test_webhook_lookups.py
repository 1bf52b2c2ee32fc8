"""Names are looked up without one of them holding up the others."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter

import pytest

from thumbturn.webhooks.lookups import LookUps


class NameServer:
    """Stands in for the C library's look-up; names that begin with ``slow`` wait until released."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.release = threading.Event()
        self.daemons: set[bool] = set()

    def getaddrinfo(self, host: str, port: int, **how: object) -> list[tuple]:
        """As in ``socket``."""
        self.asked[host] += 1
        self.daemons.add(threading.current_thread().daemon)
        if host.startswith("slow"):
            assert self.release.wait(10)
        if host.startswith("no"):
            raise socket.gaierror(-2, "Name or service not known")
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port)),
        ]


@pytest.fixture
def names(monkeypatch):
    """A name server in place of the machine's; whoever still waits is released at the end."""
    server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server.getaddrinfo)
    yield server
    server.release.set()


async def test_all_addresses_are_found_in_order(names):
    """A look-up finds all addresses of a name, of both families, best first."""
    assert list(await LookUps()("host.example", 443)) == ["2001:db8::1", "192.0.2.1"]


async def test_unknown_name_raises(names):
    """A name that is not known raises what the socket library raises, to each who asked."""
    look_up = LookUps()
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await look_up("no.example", 443)


async def test_callers_of_one_name_share_a_look_up(names):
    """Whoever asks for a name while it is looked up gets the same answer; later it is asked for anew."""
    look_up = LookUps()
    asking = [asyncio.ensure_future(look_up("slow.example", 443)) for _ in range(10)]
    await asyncio.sleep(0)
    asking[0].cancel()
    names.release.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert all(answer == ["2001:db8::1", "192.0.2.1"] for answer in answers[1:])
    assert names.asked["slow.example"] == 1
    await look_up("slow.example", 443)
    assert names.asked["slow.example"] == 2


async def test_name_that_hangs_holds_up_no_other(names):
    """While one name hangs, for everybody who gave up on it too, another is found."""
    look_up = LookUps(at_a_time=2)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(look_up("slow.example", 443), 0.01)
    assert await look_up("host.example", 443)
    assert names.asked == {"slow.example": 1, "host.example": 1}


async def test_look_ups_are_bounded(names):
    """Only so many run at a time; the others have their turn when one of these ends."""
    look_up = LookUps(at_a_time=2)
    asking = [asyncio.ensure_future(look_up(f"slow{number}.example", 443)) for number in range(5)]
    while names.asked.total() < 2:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.01)
    assert names.asked.total() == 2
    names.release.set()
    assert len(await asyncio.gather(*asking)) == 5


async def test_look_up_does_not_keep_the_process(names):
    """A look-up that hangs is left behind when the server ends."""
    await LookUps()("host.example", 443)
    assert names.daemons == {True}


def test_look_up_may_outlive_its_loop(names):
    """A name that is found after the loop was closed troubles nobody."""

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(LookUps()("slow.example", 443), 0.01)

    asyncio.run(give_up())
    names.release.set()
    for thread in threading.enumerate():
        if thread.name == "look-up":
            thread.join(10)


async def test_the_machine_itself_is_found():
    """The machine's own resolver knows this machine."""
    assert {"127.0.0.1", "::1"} & set(await LookUps()("localhost", 80))
