"""The users of a Matter lock: each PIN of ours belongs to one that was made for it, and goes with it.

A lock keeps users and their credentials apart. Whom somebody else has made is neither changed nor cleared.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from thumbturn.domain.errors import Failure
from thumbturn.domain.failures import NoSpaceOnDevice, OutcomeUnknown
from thumbturn.drivers.matter.codec import Answer, Cluster, Node
from thumbturn.engine.hub_words import is_number

_TOTAL = 0x11
_ADD = 0
_ENABLED, _UNRESTRICTED, _SINGLE = 1, 0, 0
#: Bytes of a user's name.
_LONGEST_NAME = 10
#: In its node's list of who controls it: which number is ours.
_OUR_FABRIC = (0, int(Cluster.CREDENTIALS), 5)

Command = Callable[..., Awaitable[Answer | None]]


def our_fabric(node: Node | None) -> Any:
    """By which number a node knows us; what it says of others' doing has another."""
    return None if node is None else node.attributes.get(_OUR_FABRIC)


class LockUsers:
    """Makes and clears users. ``command`` sends a command to the lock."""

    def __init__(self, command: Command, judged: Callable[[Answer | None, str], Any]) -> None:
        self._command = command
        self._judged = judged

    async def make(self, node: Node, endpoint: int, number: int, name: str | None) -> int:
        """A new user who has nothing yet, as the lock numbers him; like ``number`` if that is free.

        Raises ``NoSpaceOnDevice``, ``OutcomeUnknown`` and what else the lock says.
        """
        most = node.number(endpoint, Cluster.DOOR_LOCK, _TOTAL) or 0
        for user in (number, *(each for each in range(most, 0, -1) if each != number)):
            if user > most or await self._is_there(user):
                continue
            answer = await self._command(
                "SetUser",
                operationType=_ADD,
                userIndex=user,
                userName=_short(name),
                userUniqueID=None,
                userStatus=_ENABLED,
                userType=_UNRESTRICTED,
                credentialRule=_SINGLE,
            )
            if not self._judged(answer, "A user is made for the code.").confirms:
                raise OutcomeUnknown
            return user
        raise NoSpaceOnDevice

    async def clear(self, user: int, fabric: Any) -> None:
        """Clear a user of ours who has nothing left. One that stays costs the lock a place, and no more."""
        said = await self._say(user)
        is_ours = said is not None and said.get("creatorFabricIndex") == fabric
        if said is None or not is_ours or said.get("credentials") or not _is_made(said):
            return
        try:
            self._judged(await self._command("ClearUser", userIndex=user), "Its user had nothing left.")
        except Failure:
            return

    async def _is_there(self, user: int) -> bool:
        said = await self._say(user)
        if said is None:
            raise OutcomeUnknown.because("The lock does not say which users it has.")
        return _is_made(said)

    async def _say(self, user: int) -> Mapping[str, Any] | None:
        answer = await self._command("GetUser", userIndex=user)
        said = answer.result if answer is not None and answer.is_good else None
        return said if isinstance(said, dict) else None


def _is_made(said: Mapping[str, Any]) -> bool:
    status = said.get("userStatus")
    return is_number(status) and status != 0


def _short(name: str | None) -> str:
    """A name as a lock takes it."""
    return (name or "").encode()[:_LONGEST_NAME].decode(errors="ignore")
