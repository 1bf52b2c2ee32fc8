"""The shape of an action, and what it may use while it runs.

An action is a function that performs, with everything the engine must know declared beside it::

    @action("LOCK_DOOR", at="/locks/lock_door", needs=Lock, result=DoorMoved,
            deadline=seconds(30), after_crash=AfterCrash.RESEND, when_offline=WhenOffline.FAIL)
    async def lock_door(ask: DeviceAsk, lock: Lock, run: Run) -> Outcome: ...

It ends by returning an ``Outcome`` or by raising a ``Failure``. It never decides the attempt's
phase, stores nothing and knows neither HTTP nor any vendor.

What can be asked for at several endpoints, with other parameters, has a ``Way`` for each::

    @way("SET_HVAC_MODE", at="/thermostats/heat", takes_sync=True)
    async def heat(ask: HeatAsk, known: Known) -> HvacModeAsk: ...
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Protocol, TypeAlias, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from thumbturn.actions.described import describe_fields
from thumbturn.domain.access import Entry
from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.capabilities.cards import CardRegister
from thumbturn.domain.capabilities.encoder import Encoder
from thumbturn.domain.capabilities.lock import AutoLock, Keypad, Lock
from thumbturn.domain.capabilities.noise_sensor import NoiseSensor
from thumbturn.domain.capabilities.sandbox import Sandbox
from thumbturn.domain.capabilities.thermostat import Thermostat, ThermostatPrograms
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.policy import AfterCrash, WhenOffline

#: The word by which a device declares each capability, in ``Device.capabilities``.
CAPABILITY_WORD: dict[type, str] = {
    Lock: "lock",
    AutoLock: "auto_lock",
    Keypad: "keypad",
    CodeMemory: "access_codes",
    Thermostat: "thermostat",
    ThermostatPrograms: "thermostat_programs",
    NoiseSensor: "noise_detection",
    Encoder: "encoder",
}
#: Capabilities that are no device's.
OF_WORKSPACE: frozenset[type] = frozenset({Sandbox, CardRegister})


class _NotNull:
    """Takes the null out of a type: what may be left out is not thereby null."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        return schema["schema"] if schema["type"] == "nullable" else schema


T = TypeVar("T")
#: A parameter that may be left out (it is ``None`` then) and must not be null.
Maybe = Annotated[T | None, _NotNull()]


class Ask(BaseModel):
    """What a caller asks of an action: the parameters of its endpoint. Unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra=describe_fields)


class DeviceAsk(Ask):
    """An ask that is about one device."""

    device_id: str
    """The device that shall act."""


class Result(BaseModel):
    """What a successful attempt carries as its ``result``; the base is the empty one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=describe_fields)


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
        """The first wanted observation of this device that comes.

        If some came since the attempt was sent and before this call, the last of them: what it says is
        newer than what it said before. ``None`` after ``within`` µs, at the deadline, or as
        soon as the device is reported offline: then no more can come.
        """

    def observed(self, observation: Observation) -> None:
        """Put on record what an active read of the device brought."""

    def now(self) -> int:
        """The time, µs."""

    def holds(self, changes: Mapping[str, Any]) -> None:
        """Put on record what is so of the device because this succeeded, and what no device reports."""

    def time_left(self) -> int:
        """µs until the deadline; never negative."""


class Known(Protocol):
    """What the meaning of an ask may be looked up in: the things of the workspace that asks."""

    def device_with_daily_program(self, program_id: str) -> str:
        """The id of the thermostat that has it. Raises ``DailyProgramNotFound``."""

    def check_noise_threshold(self, device_id: str, threshold_id: str) -> None:
        """Return if this sensor holds the threshold, or shall. Raises ``NoiseThresholdNotFound``, or what the
        sensor itself is refused with.
        """

    def encoder(self, encoder_id: str) -> str:
        """The device that is this encoder. Raises ``AcsEncoderNotFound``."""

    async def check_encodable(self, credential_id: str, encoder_id: str) -> None:
        """Return if the credential can be on a card of this encoder. Raises ``CredentialIsNoCard``,
        ``AcsCredentialNotFound`` or ``ThingsOfTwoSystems``.
        """

    async def user_at_encoder(
        self, encoder_id: str, acs_user_id: str | None, user_identity_id: str | None
    ) -> str:
        """The id of the user that is meant in the encoder's system. Raises ``AcsUserNotFound`` or
        ``ThingsOfTwoSystems``.
        """

    async def entry_at_entrance(self, credential_id: str, entrance_id: str) -> Entry:
        """Whom this credential lets in at an entrance, from here and now, and the lock there. Raises
        ``CredentialCannotUnlock``, ``AcsCredentialNotFound`` or ``AcsEntranceNotFound``.
        """

    async def card_of_method(self, access_method_id: str) -> str:
        """The id of the credential that this access method needs on a card. Raises ``AccessMethodNotFound``,
        ``AccessMethodIsNoCard`` or ``AccessMethodNotReady``.
        """

    async def check_takes_card(self, access_method_id: str) -> None:
        """Return if this access method may be given a card. Raises ``AccessMethodNotFound``,
        ``AccessMethodIsNoCard`` or ``AccessMethodNotReady``.
        """

    async def entry_by_method(self, access_method_id: str, entrance_id: str) -> Entry:
        """Whom this access method lets in at an entrance, likewise. Raises
        ``CredentialCannotUnlock``, ``AccessMethodNotFound``, ``AccessMethodNotReady`` or
        ``AcsEntranceNotFound``.
        """


Perform: TypeAlias = Callable[[Any, Any, Run], Awaitable[Outcome]]
#: From what is asked to what is accepted. Raises a ``Refusal`` for what this device cannot do.
Fit: TypeAlias = Callable[[Any, Device], "Ask"]
#: From what one way takes to the action's own ask. Raises a ``Refusal`` for what cannot be meant.
Meaning: TypeAlias = Callable[[Any, "Known"], Awaitable["Ask"]]
#: A key of an answer, its shape, and how it is made of an accepted ask (``Attempt.ask``).
Shown: TypeAlias = tuple[str, Any, Callable[[Mapping[str, Any]], Any]]
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
    #: The capability it is performed with; those of ``OF_WORKSPACE`` are the workspace's, others a device's.
    needs: Kind
    result: ResultKind
    perform: Perform
    #: µs from acceptance, or from ``not_before``, unless the caller sets another; and once it is sent,
    #: the longest that it is waited for.
    deadline: int
    after_crash: AfterCrash
    when_offline: WhenOffline
    #: Performed instead of ``perform`` after a crash, by ``ASK_DEVICE`` and ``RECONCILE``; by ``FAIL``, where
    #: there is more to say than that nobody knows, without asking the device.
    recover: Perform | None
    #: The contract's hidden flag ``sync``: answer only when the attempt has ended.
    takes_sync: bool
    #: Refused outside sandbox workspaces.
    sandbox_only: bool
    #: Parameters that are never stored: PINs.
    secrets: frozenset[str]
    #: What is asked at its endpoint is more than the action: it is written in ``api/routes``, and no way.
    has_own_endpoint: bool
    #: Looks at the ask and its device before anything is accepted; ``None`` if any device will do.
    fit: Fit | None

    @property
    def concerns_device(self) -> bool:
        """True when it acts on a device, false when on the workspace."""
        return self.needs not in OF_WORKSPACE

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return (self.perform.__doc__ or self.type).strip().splitlines()[0]


class Way(NamedTuple):
    """An endpoint at which an action can be asked for."""

    #: The action's type.
    type: str
    path: str
    ask: AskKind
    #: What is meant by what it takes; ``None`` if it takes the action's own ask.
    meaning: Meaning | None
    takes_sync: bool
    methods: tuple[str, ...]
    summary: str
    #: What its answer has beside the attempt.
    shows: tuple[Shown, ...]


#: The methods of a way that changes nothing but by its attempt.
ONLY_POST = ("POST",)
ACTIONS: dict[str, Action] = {}
#: Every way to every action, by its path.
WAYS: dict[str, Way] = {}


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
    meaning: Meaning | None = None,
    fit: Fit | None = None,
    methods: tuple[str, ...] = ONLY_POST,
    shows: tuple[Shown, ...] = (),
    has_own_endpoint: bool = False,
) -> Callable[[Perform], Perform]:
    """Declares the decorated function as the way to perform this type of action.

    The first parameter's annotation is the ask; where callers may not say all of it, ``meaning`` makes it of
    what they say. Raises ``TypeError`` for a type or an endpoint
    that is taken, and for a policy that lacks its ``recover``.
    """
    needs_recover = after_crash in (AfterCrash.ASK_DEVICE, AfterCrash.RECONCILE)
    if needs_recover != (recover is not None) and after_crash is not AfterCrash.FAIL:
        raise TypeError(f"{type}: {after_crash} and recover do not fit together")

    def declare(perform: Perform) -> Perform:
        if type in ACTIONS or at in WAYS:
            raise TypeError(f"{type} at {at} is declared already")
        ask = _ask_of(perform)
        declared = ACTIONS[type] = Action(
            type=type,
            at=at,
            ask=ask,
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
            has_own_endpoint=has_own_endpoint,
            fit=fit,
        )
        if not has_own_endpoint:
            taken = ask if meaning is None else _ask_of(meaning)
            WAYS[at] = Way(type, at, taken, meaning, takes_sync, methods, declared.summary, shows)
        return perform

    return declare


def way(
    type: str, *, at: str, takes_sync: bool = False, methods: tuple[str, ...] = ONLY_POST
) -> Callable[[Meaning], Meaning]:
    """Declares the decorated function as what is meant by an ask at a further endpoint.

    The first parameter's annotation is what that endpoint takes, the docstring what it does. Raises
    ``TypeError`` for an endpoint that is taken, and for a type that is not declared.
    """

    def declare(meaning: Meaning) -> Meaning:
        if at in WAYS or type not in ACTIONS:
            raise TypeError(f"{at} is declared already, or there is no {type}")
        summary = inspect.getdoc(meaning) or type
        line = summary.splitlines()[0]
        WAYS[at] = Way(type, at, _ask_of(meaning), meaning, takes_sync, methods, line, ())
        return meaning

    return declare


def _ask_of(function: Callable[..., Any]) -> type[Ask]:
    first = next(iter(get_type_hints(function).values()))
    if not (inspect.isclass(first) and issubclass(first, Ask)):
        raise TypeError(f"the first parameter of {function} must be annotated with an Ask")
    return first
