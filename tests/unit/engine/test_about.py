"""What a command's task is about, for whoever writes a log line in it."""

from __future__ import annotations

from thumbturn.domain.about import ATTEMPT, REQUEST
from thumbturn.domain.clock import seconds
from thumbturn.drivers.virtual.locks import VirtualLock


class Request:
    """A request, as the API says it to its tasks."""


async def test_a_command_is_about_its_own_request_and_attempt(house, monkeypatch):
    """Also when it gets its turn by the end of another: the lane hands on the turn, not what it was about."""
    seen = []
    for name in ("lock", "unlock"):
        original = getattr(VirtualLock, name)

        async def command(self, original=original):
            seen.append((REQUEST.get(), ATTEMPT.get().ids()))
            return await original(self)

        monkeypatch.setattr(VirtualLock, name, command)
    lock = await house.lock(travel=300)
    seen.clear()
    asked = []
    for action_type in ("UNLOCK_DOOR", "LOCK_DOOR"):
        request = Request()
        token = REQUEST.set(request)
        attempt = await house.begin(action_type, lock)
        REQUEST.reset(token)
        asked.append((request, {"action_attempt_id": attempt.id, "device_id": lock.id}))
    await house.clock.advance(seconds(5))
    assert seen == asked
    assert (REQUEST.get(), ATTEMPT.get()) == (None, None)
