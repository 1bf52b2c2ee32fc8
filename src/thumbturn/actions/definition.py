"""The shape of an action, and what it may use while it runs.

An action is a function that performs, with everything the engine must know declared beside it::

    @action("LOCK_DOOR", at="/locks/lock_door", needs=Lock, result=DoorMoved,
            deadline=seconds(30), after_crash=AfterCrash.RESEND, when_offline=WhenOffline.FAIL)
    async def lock_door(ask: DeviceAsk, lock: Lock, run: Run) -> Outcome: ...

It ends by returning an ``Outcome`` or by raising a ``Failure``. It never decides the attempt's
phase, stores nothing and knows neither HTTP nor any vendor.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, get_type_hints

from pydantic import BaseModel, ConfigDict

from thumbturn.domain.capabilities.lock import AutoLock, Keypad, Lock
from thumbturn.domain.capabilities.sandbox import Sandbox
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.policy import AfterCrash, WhenOffline

#: The word by which a device declares each capability, in ``Device.capabilities``.
CAPABILITY_WORD: dict[type, str] = {Lock: "lock", AutoLock: "auto_lock", Keypad: "keypad"}


class Ask(BaseModel):
    """What a caller asks of an action: the parameters of its endpoint. Unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class DeviceAsk(Ask):
    """An ask that is about one device."""

    device_id: str
    """The device that shall act."""


class Result(BaseModel):
    """What a successful attempt carries as its ``result``; the base is the empty one."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Outcome(NamedTuple):
    """The good end of an action: its result in wire form, and how it is known."""

    result: Mapping[str, Any]
    evidence: Evidence


class Run(Protocol):
    """What an action may use of the engine while it runs."""

    @property
    def device(self) -> Device:
        """The device as last known, now."""

    def acknowledged(self, evidence: Evidence, said: str = "") -> None:
        """Put on record that the command was taken, by whom the grade says."""

    async def watch(self, wanted: Callable[[Observation], bool], within: int) -> Observation | None:
        """The first wanted observation of this device since the attempt was sent.

        Also one that came before this call. ``None`` after ``within`` µs, at the deadline, or as
        soon as the device is reported offline: then no more can come.
        """

    def observed(self, observation: Observation) -> None:
        """Put on record what an active read of the device brought."""

    def time_left(self) -> int:
        """µs until the deadline; never negative."""


Perform: TypeAlias = Callable[[Any, Any, Run], Awaitable[Outcome]]
# ``Action.type`` below shadows the builtin inside the class, so these have names of their own.
Kind: TypeAlias = type
AskKind: TypeAlias = type[Ask]
ResultKind: TypeAlias = type[Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Everything there is to know about a kind of command."""

    type: str
    #: The endpoint that creates it.
    at: str
    ask: AskKind
    #: The capability it is performed with; ``Sandbox`` acts on the workspace, the others on a device.
    needs: Kind
    result: ResultKind
    perform: Perform
    #: µs from acceptance, or from ``not_before``, unless the caller sets another; and once it is sent,
    #: the longest that it is waited for.
    deadline: int
    after_crash: AfterCrash
    when_offline: WhenOffline
    #: Performed instead of ``perform`` after a crash, by ``ASK_DEVICE`` and ``RECONCILE``.
    recover: Perform | None
    #: The contract's hidden flag ``sync``: answer only when the attempt has ended.
    takes_sync: bool
    #: Refused outside sandbox workspaces.
    sandbox_only: bool
    #: Parameters that are never stored: PINs.
    secrets: frozenset[str]

    @property
    def concerns_device(self) -> bool:
        """True when it acts on a device, false when on the workspace."""
        return self.needs is not Sandbox

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return (self.perform.__doc__ or self.type).strip().splitlines()[0]


ACTIONS: dict[str, Action] = {}


def action(
    type: str,
    *,
    at: str,
    needs: type,
    deadline: int,
    after_crash: AfterCrash,
    when_offline: WhenOffline,
    result: type[Result] = Result,
    recover: Perform | None = None,
    takes_sync: bool = False,
    sandbox_only: bool = False,
    secrets: frozenset[str] = frozenset(),
) -> Callable[[Perform], Perform]:
    """Declares the decorated function as the way to perform this type of action.

    The first parameter's annotation is the ask. Raises ``TypeError`` for a type or an endpoint
    that is taken, and for a policy that lacks its ``recover``.
    """
    if (after_crash in (AfterCrash.ASK_DEVICE, AfterCrash.RECONCILE)) != (recover is not None):
        raise TypeError(f"{type}: {after_crash} and recover do not fit together")

    def declare(perform: Perform) -> Perform:
        for other in ACTIONS.values():
            if type == other.type or at == other.at:
                raise TypeError(f"{type} at {at} is declared already")
        ACTIONS[type] = Action(
            type=type,
            at=at,
            ask=_ask_of(perform),
            needs=needs,
            result=result,
            perform=perform,
            deadline=deadline,
            after_crash=after_crash,
            when_offline=when_offline,
            recover=recover,
            takes_sync=takes_sync,
            sandbox_only=sandbox_only,
            secrets=secrets,
        )
        return perform

    return declare


def _ask_of(perform: Perform) -> type[Ask]:
    first = next(iter(get_type_hints(perform).values()))
    if not (inspect.isclass(first) and issubclass(first, Ask)):
        raise TypeError(f"the first parameter of {perform} must be annotated with an Ask")
    return first
