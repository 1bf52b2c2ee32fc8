"""SIGTERM at every moment: what is under way is closed in order, and nothing is broken off."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from thumbturn.signals import Termination


def ask() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_before_the_work_began_it_never_does():
    """Who is asked to end while it still prepares ends its preparations, and does not begin."""
    done = []

    async def work() -> None:
        done.append("began")

    with Termination() as sigterm:
        ask()
        done.append("prepared")
        asyncio.run(sigterm.ends(work))
    assert done == ["prepared"]


def test_work_is_cancelled_once_and_closes_in_order():
    """The first SIGTERM cancels at the next await; a second one does not break off the closing."""
    done = []

    async def work() -> None:
        try:
            ask()
            done.append("opened")
            await asyncio.sleep(60)
        finally:
            ask()
            await asyncio.sleep(0.01)
            done.append("closed")

    with Termination() as sigterm:
        asyncio.run(sigterm.ends(work))
        ask()
    assert done == ["opened", "closed"]


def test_a_cancelling_that_nobody_asked_for_is_no_end():
    """Without SIGTERM a cancelled task is a failure like any other."""

    async def work() -> None:
        raise asyncio.CancelledError

    with Termination() as sigterm, pytest.raises(asyncio.CancelledError):
        asyncio.run(sigterm.ends(work))


def test_afterwards_the_signal_is_as_it_was():
    """Outside the block SIGTERM does what it did before."""
    before = signal.getsignal(signal.SIGTERM)
    with Termination():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
