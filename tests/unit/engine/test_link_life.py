"""The life of a link to a hub: when it is tried, when it is believed to stand, and when it is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from thumbturn.domain.clock import seconds
from thumbturn.engine.link_life import LONGEST_WAIT, LinkLife, LinkLost
from thumbturn.testing.clock import FakeClock


class Hub:
    """A hub that answers or does not, and can be pulled out."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.answers = True
        self.tried_at: list[int] = []
        self.losses = 0
        self.breaks: Exception | None = None
        self.pulled: asyncio.Future[None] | None = None
        self.life = LinkLife("hub", self.session, self.lost, self.clock, Random(7).random)

    async def session(self, up: Callable[[], None]) -> None:
        self.tried_at.append(self.clock.now())
        if self.breaks is not None:
            raise self.breaks
        if not self.answers:
            raise LinkLost("nobody there")
        self.pulled = asyncio.get_running_loop().create_future()
        up()
        await self.pulled

    def lost(self) -> None:
        self.losses += 1

    def pull(self) -> None:
        """Take the hub away."""
        assert self.pulled is not None
        self.pulled.set_exception(ConnectionResetError("gone"))

    def waits(self) -> list[int]:
        """How long it was waited between the tries, µs."""
        return [later - sooner for sooner, later in zip(self.tried_at, self.tried_at[1:], strict=False)]


@pytest.fixture
async def hub():
    """A hub whose link is not made yet."""
    it = Hub()
    yield it
    await it.life.stop()


async def test_it_stands_when_the_session_says_so(hub: Hub):
    """A link is up from the moment in which its session says so, until it is lost, which is said once."""
    hub.life.start()
    assert hub.life.is_up is False
    await hub.clock.settle()
    assert hub.life.is_up is True
    hub.pull()
    await hub.clock.settle()
    assert (hub.life.is_up, hub.losses) == (False, 1)


async def test_it_is_tried_later_each_time_and_never_in_step(hub: Hub):
    """While nobody answers the waits double up to a minute, each of them cut by chance, at most by half."""
    hub.answers = False
    hub.life.start()
    await hub.clock.advance(seconds(1_200))
    waits = hub.waits()
    # That nobody is there is news once.
    assert hub.losses == 1
    for number, wait in enumerate(waits):
        most = min(seconds(0.5) << number, LONGEST_WAIT)
        assert most // 2 <= wait <= most
    assert len(set(waits)) == len(waits)


async def test_after_a_good_time_it_is_tried_soon_again(hub: Hub):
    """A link that stood for a while is made again at once; one that breaks all the time is not."""
    hub.answers = False
    hub.life.start()
    await hub.clock.advance(seconds(300))
    hub.answers = True
    await hub.clock.advance(LONGEST_WAIT)
    await hub.clock.advance(seconds(31))
    hub.pull()
    await hub.clock.advance(seconds(0.5))
    assert hub.life.is_up is True
    for _ in range(8):
        hub.pull()
        await hub.clock.advance(LONGEST_WAIT)
    assert max(hub.waits()[-4:]) > seconds(10)


async def test_a_session_that_breaks_is_no_end(hub: Hub):
    """Whatever a hub says, and whatever bug it meets, its link is tried again."""
    hub.breaks = KeyError("a bug")
    hub.life.start()
    await hub.clock.settle()
    hub.breaks = None
    await hub.clock.advance(seconds(1))
    assert hub.life.is_up is True


async def test_a_command_waits_for_the_first_try_only(hub: Hub):
    """Right after a start it is worth to wait for the link; once it could not be made, it is not."""
    hub.life.start()
    assert await hub.life.stands(seconds(5)) is True
    hub.answers = False
    hub.pull()
    await hub.clock.settle()
    began = hub.clock.now()
    assert await hub.life.stands(seconds(5)) is False
    assert hub.clock.now() == began


async def test_it_is_let_go_of(hub: Hub):
    """A link that was stopped is neither up nor tried again, and its end is no loss."""
    hub.life.start()
    await hub.clock.settle()
    await hub.life.stop()
    await hub.clock.advance(seconds(100))
    assert (hub.life.is_up, len(hub.tried_at), hub.losses) == (False, 1, 0)
