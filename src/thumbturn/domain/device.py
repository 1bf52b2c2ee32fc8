"""A device, what it reports, and which of its reports are news.

``absorb`` is the one place that turns a report into state and events. A report that changes
nothing is no event: a fact is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from thumbturn.domain.access_code import code_at
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.battery import follow_battery
from thumbturn.domain.clock import to_wire
from thumbturn.domain.connected_account import ACCOUNT_DISCONNECTED, NOT_LET_IN, account_error
from thumbturn.domain.encoder import ENCODER_TYPE, events_of_encoder, told_of_encoder
from thumbturn.domain.event import Event
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.ids import new_id
from thumbturn.domain.noise import follow_noise
from thumbturn.domain.thermostat import Told, follow


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A thing that can act or sense, as the server last knew it."""

    id: str
    workspace_id: str
    connected_account_id: str
    #: The driver that speaks to it, by its name.
    driver: str
    #: How its driver finds it. Opaque to everybody else.
    address: str
    device_type: str
    #: The name its maker or hub gave it; ``nickname`` is the one a person gave it here.
    name: str
    nickname: str | None = None
    #: The vendor-free capabilities it has: ``lock``, ``auto_lock``, ``keypad``, ``battery``, …
    capabilities: frozenset[str] = frozenset()
    #: What it last reported: ``online`` always; ``locked``, ``battery_level``, ``door_open``,
    #: ``auto_lock_enabled``, ``auto_lock_delay_seconds`` … where it has them; ``offline_since`` (µs)
    #: while it is offline.
    state: Mapping[str, Any] = field(default_factory=dict)
    #: What does not change: maker, model, serial number, picture, location.
    details: Mapping[str, Any] = field(default_factory=dict)
    custom_metadata: Mapping[str, str | bool] = field(default_factory=dict)
    #: What people set about it here, and it need not know: of a thermostat what ``domain/presets.py`` and
    #: its neighbours keep.
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_managed: bool = True
    created_at: int = 0

    @property
    def online(self) -> bool:
        """True while its hub says that it can be reached."""
        return bool(self.state.get("online", False))

    @property
    def takes_commands(self) -> bool:
        """True while it can be reached and nothing is owed for it."""
        return self.online and self.state.get(UNPAID_SINCE) is None

    @property
    def display_name(self) -> str:
        """The name to show to people."""
        return self.nickname or self.name


class Observation(NamedTuple):
    """A fact that a device (or its hub) reported. Drivers emit these and decide nothing."""

    device_id: str
    #: When it happened as far as the device says, else when it arrived; µs.
    at: int
    #: The part of ``Device.state`` that is so now.
    changes: Mapping[str, Any] = MappingProxyType({})
    evidence: Evidence = Evidence.STATE_REPORT
    #: How it came about, in the wire's words for a bolt: keycode, manual, automatic, remote, card, unknown.
    #: Of a thermostat: manual, by somebody at the device; automatic, by its own program; remote.
    method: str | None = None
    #: Why a keypad refused somebody (the wire's ``reason_code``), if that is what happened.
    denied: str | None = None
    #: The device's own words, for the timeline. Never a PIN.
    said: str = ""
    #: Where in its memory a lock has the code that somebody entered.
    place: str | None = None
    #: Called once what is so is on record: for whoever must not go on before that.
    on_record: Callable[[], None] | None = None


HUB_DISCONNECTED = "hub_disconnected"
#: Why a device is offline, by the code that its hub gave in ``offline_because``; by itself if it gave none.
OFFLINE: Mapping[str, str] = MappingProxyType(
    {
        "device_disconnected": "The device is offline: its hub cannot reach it.",
        HUB_DISCONNECTED: "The device is offline: its hub has lost it.",
        ACCOUNT_DISCONNECTED: NOT_LET_IN,
    }
)
#: Of ``Device.state``: since when its maker wants a subscription to be paid first, µs.
UNPAID_SINCE = "unpaid_since"
SUBSCRIPTION_REQUIRED = "The device's maker wants a subscription to be paid before it takes commands."


def offline_error(state: Mapping[str, Any], since: int) -> dict[str, Any]:
    """The error of a device that is offline since this moment (µs), in the wire's own shape."""
    code = state.get("offline_because") or "device_disconnected"
    if code == ACCOUNT_DISCONNECTED:
        return account_error(since)
    return _error(code, OFFLINE[code], since)


def removed_error(since: int) -> dict[str, Any]:
    """The error of a device that was taken out of its account at this moment (µs), likewise."""
    return _error("device_removed", "The device was removed from its account.", since)


def unpaid_error(since: int) -> dict[str, Any]:
    """The error of a device whose subscription is not paid since this moment (µs), likewise."""
    return _error("subscription_required", SUBSCRIPTION_REQUIRED, since)


def _error(code: str, message: str, since: int) -> dict[str, Any]:
    return {"error_code": code, "message": message, "created_at": to_wire(since), "is_device_error": True}


_NOTHING: Mapping[str, str] = MappingProxyType({})


class Absorbed(NamedTuple):
    """A device after a report, and the events that tell of the difference."""

    device: Device
    events: tuple[Event, ...]


def absorb(device: Device, seen: Observation, now: int, cause: Attempt | None = None) -> Absorbed:
    """The device after the report; the same object and no events if it brought no news.

    ``cause`` is the attempt that caused the change, where one did.
    """
    news = {key: value for key, value in seen.changes.items() if device.state.get(key) != value}
    if not news and not seen.denied:
        return Absorbed(device, ())
    absorbed = _absorbed(device, seen, news, now, cause)
    if device.device_type == ENCODER_TYPE:
        # To callers it is no device: of its connection nothing is told.
        return absorbed._replace(events=events_of_encoder(device, news, seen.at, now))
    return absorbed


def review(device: Device, now: int) -> Absorbed:
    """The device after its settings were changed: what it reported before may mean something else now."""
    return _absorbed(device, Observation(device.id, now), {}, now, None)


def told_of_change(before: Device, after: Device, now: int) -> tuple[Event, ...]:
    """The events of what people changed of a device: whether it is managed, and its name."""
    news: list[tuple[str, dict[str, Any]]] = []
    if before.is_managed is not after.is_managed:
        word = "unmanaged.converted_to_managed" if after.is_managed else "converted_to_unmanaged"
        news.append((f"device.{word}", {}))
    if before.display_name != after.display_name:
        news.append(("device.name_changed", {"device_name": after.display_name}))
    return tuple(_event(after, event_type, now, now, payload) for event_type, payload in news)


def added(device: Device, now: int) -> Event:
    """What the workspace is told of a device that came with an account."""
    return _event(device, "device.added", now, now, {})


def deleted(device: Device, now: int) -> Event:
    """What the workspace is told of a device that it let go of."""
    if device.device_type == ENCODER_TYPE:
        return told_of_encoder(device, "removed", now, now)
    return _event(device, "device.deleted", now, now, {"device_name": device.display_name})


def _event(
    device: Device,
    event_type: str,
    at: int,
    now: int,
    payload: Mapping[str, Any],
    attempt_id: str | None = None,
) -> Event:
    return Event(
        event_id=new_id(),
        event_type=event_type,
        workspace_id=device.workspace_id,
        occurred_at=at,
        created_at=now,
        device_id=device.id,
        connected_account_id=device.connected_account_id,
        action_attempt_id=attempt_id,
        payload=payload,
    )


def _absorbed(
    device: Device, seen: Observation, news: dict[str, Any], now: int, cause: Attempt | None
) -> Absorbed:
    events: list[Event] = []

    def tell(event_type: str, attempt_id: str | None = None, **payload: Any) -> None:
        events.append(_event(device, event_type, seen.at, now, payload, attempt_id))

    if "online" in news or news.get("removed") is True:
        _tell_connection(tell, device, news, seen.at)
    if UNPAID_SINCE in news:
        _tell_subscription(tell, news[UNPAID_SINCE])
    # That it is known for the first time where a bolt is, is no move of it.
    if "locked" in news and news["locked"] is not None and "locked" in device.state:
        word = "lock.locked" if news["locked"] else "lock.unlocked"
        by_what = _by_what(device, seen, cause)
        tell(word, None if cause is None else cause.id, method=seen.method or "unknown", **by_what)
    if seen.denied:
        reason = {"reason_code": seen.denied, "message": "The code was not accepted."}
        tell("lock.access_denied", reason=reason, **_by_what(device, seen, None))
    if "battery_level" in news or not device.capabilities.isdisjoint(_FOLLOWED):
        for event_type, payload in _follow(device, seen, news, cause):
            tell(event_type, **payload)
    if not news:
        return Absorbed(device, tuple(events))
    if "online" in news:
        news["offline_since"] = None if news["online"] else seen.at
    return Absorbed(replace(device, state={**device.state, **news}), tuple(events))


def _by_what(device: Device, seen: Observation, cause: Attempt | None) -> Mapping[str, str]:
    """The code that was entered, or whom the attempt let in where."""
    if seen.place is not None:
        return {"access_code_id": code_at(device.id, seen.place)}
    if cause is None or "acs_entrance_id" not in cause.ask:
        return _NOTHING
    return {name: cause.ask[name] for name in _ENTRY if cause.ask.get(name) is not None}


#: What is known of somebody who is let in, in the wire's names.
_ENTRY = ("acs_system_id", "acs_entrance_id", "acs_user_id", "user_identity_id")


#: The capabilities of which more follows from a report than what it says; so it does from a battery.
_FOLLOWED = ("thermostat", "noise_detection")


def _follow(device: Device, seen: Observation, news: dict[str, Any], cause: Attempt | None) -> Told:
    if "battery_level" in news:
        yield from follow_battery(device.state.get("battery_level"), news["battery_level"])
    if "thermostat" in device.capabilities:
        yield from follow(device, seen, news, cause)
    if "noise_detection" in device.capabilities:
        yield from follow_noise(device, news)


def _tell_connection(tell: Callable[..., None], device: Device, news: Mapping[str, Any], at: int) -> None:
    word = "device" if device.is_managed else "device.unmanaged"
    if news.get("removed") is True:
        tell("device.removed")
    elif news["online"]:
        tell(f"{word}.connected")
    else:
        error = offline_error({**device.state, **news}, at)
        of_account = [error] if "is_connected_account_error" in error else []
        tell(f"{word}.disconnected", error_code=error["error_code"], **_errors([error], of_account))


def _tell_subscription(tell: Callable[..., None], unpaid_since: int | None) -> None:
    if unpaid_since is None:
        tell("device.error.subscription_required.resolved")
    else:
        tell("device.error.subscription_required", **_errors([unpaid_error(unpaid_since)], []))


def _errors(of_device: list[dict[str, Any]], of_account: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "device_errors": of_device,
        "device_warnings": [],
        "connected_account_errors": of_account,
        "connected_account_warnings": [],
    }
