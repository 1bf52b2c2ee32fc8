"""What is left of a run, simulated or real: all that the promises are checked against."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tests.simulation.history import Entry, History
from thumbturn.domain.access_code import AccessCode
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event


@dataclass(frozen=True)
class Record:
    """A workspace after its run: what happened, what the server has on record, what its devices did."""

    history: History
    attempts: Mapping[str, Attempt]
    #: In their order.
    events: Sequence[Event]
    devices: Mapping[str, Device]
    codes: Mapping[str, AccessCode]
    #: The attempts that the audit trail names, as often as it does.
    audited: Sequence[str]
    #: Every line of the devices' journal.
    acts: Sequence[dict[str, Any]]
    #: How each bolt stood at the beginning, and which PINs each lock holds at the end, by place.
    stood: Mapping[str, bool | None]
    holds: Mapping[str, Mapping[str, str]]
    #: The ids of the events that came to the webhook.
    received: frozenset[str]
    #: The keys whose callers have no answer.
    unanswered: Sequence[str]
    #: By the server's clock, µs.
    ended_at: int
    open_pin: Callable[[str], str]
    #: By how much a device may be earlier than it said: real timers are not exact. µs.
    too_early: int = 0
    #: The checks that cannot be made of this run, by their names, and why.
    unseen: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def sent(self) -> Mapping[str, Sequence[Entry]]:
        """The commands that went to devices, by attempt."""
        return _grouped(self.history.of("sent"), lambda entry: entry.how["attempt_id"])

    @cached_property
    def offline(self) -> frozenset[tuple[str, int]]:
        """When which attempt was told that its device is offline."""
        return frozenset(
            (entry.how["attempt_id"], entry.at)
            for entry in self.history.of("failed")
            if entry.how["why"] == "device_offline"
        )

    @cached_property
    def liars(self) -> frozenset[str]:
        """The devices that said at some time what was not so."""
        return frozenset(
            entry.how["device_id"] for entry in self.history.of("fault") if entry.how["fault"] == "lie"
        )

    def acts_of(self, device_id: str | None) -> Sequence[dict[str, Any]]:
        """What a device did, in order."""
        return self._acts_by_device[device_id]

    def moves_of(self, device_id: str | None) -> list[tuple[int, bool]]:
        """When a bolt came to stand how. A motor that is told anew lets the earlier command be."""
        told = [act for act in self.acts_of(device_id) if _turns(act)]
        moves = []
        for act, following in zip_longest(told, told[1:]):
            if "locked" not in act.get("now", {}):
                continue
            if following is None or following["at"] >= act["now"]["moved_at"]:
                moves.append((act["now"]["moved_at"], act["now"]["locked"]))
        return moves

    @cached_property
    def _acts_by_device(self) -> Mapping[str | None, Sequence[dict[str, Any]]]:
        return _grouped(self.acts, lambda act: act["device_id"])


def lines_of(journal: Path) -> list[dict[str, Any]]:
    """Every line of a journal of virtual devices; none if nothing was ever done."""
    return [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []


def _turns(act: dict[str, Any]) -> bool:
    """Whether the motor of a lock was told something. A wrong code tells it nothing."""
    if act.get("fault") == "refuse":
        return False
    return act["did"] in {"lock", "unlock", "auto_lock"} or (act["did"] == "keypad" and len(act) > 3)


def _grouped(things: Sequence[Any], by: Callable[[Any], Any]) -> defaultdict[Any, list[Any]]:
    groups: defaultdict[Any, list[Any]] = defaultdict(list)
    for thing in things:
        groups[by(thing)].append(thing)
    return groups
