"""The promises, checked against all that happened in a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.simulation.history import Entry
from tests.simulation.record import Record
from thumbturn.domain.access_code import wanted
from thumbturn.domain.announcing import ANNOUNCED
from thumbturn.domain.attempt import Attempt, Phase
from thumbturn.domain.ids import is_id

#: Failures that say that the device has not acted because of this attempt.
HAS_NOT_ACTED = frozenset(
    {
        "action_attempt_expired",
        "cancelled",
        "device_offline",
        "device_unreachable",
        "command_refused",
        "interrupted",
    }
)
#: Whether a succeeded command leaves the bolt thrown.
WANTED = {"UNLOCK_DOOR": False, "LOCK_DOOR": True}
#: What the devices' journal calls each command.
DID = {
    "unlock": "unlock",
    "lock": "lock",
    "set_auto_lock": "set_auto_lock",
    "enter_code": "keypad",
    "press_lock": "keypad",
}
#: A lane is given up when its run's end could not be put on record for so long, µs.
GIVEN_UP_AFTER = 2_000_000


class Promises:
    """What must be so after every run."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.history = record.history
        self.attempts = record.attempts
        self.events = record.events

    def broken(self) -> list[str]:
        """Every promise that was broken, in words."""
        made = [name for name in CHECKS if name not in self.record.unseen]
        return [f"{name}: {word}" for name in made for word in getattr(self, f"{_CHECK}{name}")()]

    def _check_answered_means_kept(self) -> Iterator[str]:
        for entry in self.history.of("answered"):
            if entry.how["attempt_id"] not in self.attempts:
                yield f"{entry.how} is not on record"

    def _check_one_final_state(self) -> Iterator[str]:
        for attempt in self.attempts.values():
            if not attempt.phase.is_final:
                yield f"{attempt.id} never ended: {attempt.phase}"
            settled = [mark for mark in attempt.marks if mark.stage == "settled"]
            if len(settled) != attempt.phase.is_final:
                yield f"{attempt.id} was settled {len(settled)} times"
        seen: dict[str, Any] = {}
        for entry in self.history.of("final", "told"):
            end = (entry.how["status"], entry.how["result"], entry.how["failure"])
            if seen.setdefault(entry.how["attempt_id"], end) != end:
                yield f"{entry.how['attempt_id']} ended as {seen[entry.how['attempt_id']]} and as {end}"
        for attempt_id, end in seen.items():
            stands = self.attempts.get(attempt_id)
            if stands is None:
                yield f"{attempt_id} had ended as {end} and is not on record"
            elif (stands.status, stands.result, stands.failure) != end:
                yield f"{attempt_id} had ended as {end} and is {stands.status} {stands.failure}"

    def _check_nothing_is_sent_before_it_is_on_record_or_out_of_its_time(self) -> Iterator[str]:
        for attempt_id, sends in self.record.sent.items():
            attempt = self.attempts.get(attempt_id)
            for entry in sends:
                if entry.how["phase"] not in {Phase.SENT, Phase.CONFIRMING}:
                    yield f"{attempt_id} was sent while it stood as {entry.how['phase']}"
                if attempt is not None and entry.at >= attempt.deadline_at:
                    yield f"{attempt_id} was sent {entry.at - attempt.deadline_at} µs after its deadline"
            # By the clock as it was then: it may have been set back since.
            marks = [] if attempt is None else [mark.at for mark in attempt.marks if mark.stage == "sent"]
            if attempt is not None and any(at < (attempt.not_before or 0) for at in marks):
                yield f"{attempt_id} was sent before its moment"

    def _check_what_says_that_nothing_was_done_is_true(self) -> Iterator[str]:
        for attempt in self.attempts.values():
            if attempt.failure is None or attempt.failure[0] not in HAS_NOT_ACTED:
                continue
            for entry in self.record.sent[attempt.id]:
                if any(self._is_act_of(entry, act) for act in self.record.acts_of(attempt.device_id)):
                    yield f"{attempt.id} failed as {attempt.failure[0]}, and its device had acted"

    def _is_act_of(self, entry: Entry, act: dict[str, Any]) -> bool:
        """Whether the device did something because it was told to then."""
        return (
            act["at"] == entry.at
            and act["device_id"] == entry.how["device_id"]
            and bool(act.get("now"))
            and act["did"] == DID.get(entry.how["verb"], entry.how["verb"])
        )

    def _check_no_blind_repeat(self) -> Iterator[str]:
        for attempt_id, sends in self.record.sent.items():
            attempt = self.attempts.get(attempt_id)
            if attempt is not None and attempt.action_type == "UNLOCK_DOOR":
                # One that was refused as offline was not sent.
                tries = [entry for entry in sends if not self._was_offline(entry)]
                if len(tries) > 1:
                    yield f"{attempt_id} was sent {len(tries)} times"
        for attempt in self.attempts.values():
            if attempt.action_type == "UNLOCK_DOOR" and any(mark.stage == "resent" for mark in attempt.marks):
                yield f"{attempt.id} was sent again"

    def _was_offline(self, sent: Entry) -> bool:
        return (sent.how["attempt_id"], sent.at) in self.record.offline

    def _check_one_command_at_a_time(self) -> Iterator[str]:
        for sends in self.record.sent.values():
            for entry in sends:
                for other in entry.how["beside"]:
                    stands = self.attempts[other]
                    if "ACCESS_CODE" in stands.action_type:
                        # Taken up after a crash it may wait beside the lane, for its lock to be online.
                        continue
                    if entry.at < stands.deadline_at + GIVEN_UP_AFTER:
                        yield f"{entry.how['attempt_id']} was sent while {other} was in flight at its device"

    def _check_only_the_owner_sends(self) -> Iterator[str]:
        for entry in self.history.of("sent"):
            if not entry.how.get("is_owner", True):
                yield f"{entry.how['attempt_id']} was sent by a process that is no owner any more"

    def _check_success_says_what_it_stands_on(self) -> Iterator[str]:
        for attempt in self.attempts.values():
            confirmed = (attempt.result or {}).get("was_confirmed_by_device")
            if confirmed is not None and confirmed is not attempt.evidence.confirms:
                yield f"{attempt.id} says confirmed: {confirmed}, on evidence of {attempt.evidence.word}"

    def _check_success_is_evidence(self) -> Iterator[str]:
        for attempt in self.attempts.values():
            if attempt.phase is not Phase.SUCCEEDED or attempt.device_id is None:
                continue
            first = min((entry.true_at for entry in self.record.sent[attempt.id]), default=None)
            if first is None:
                # Its command was sent in the moment of a crash at the latest; then it was asked after it.
                first = 0
            best = max(
                (
                    each.how["evidence"]
                    for each in self.history.of("heard", "replied")
                    if each.how["device_id"] == attempt.device_id and each.true_at >= first
                ),
                default=0,
            )
            if attempt.evidence > best:
                yield f"{attempt.id} succeeded on {attempt.evidence.word}, and nothing of that grade came"

    def _check_a_confirmed_bolt_was_there(self) -> Iterator[str]:
        if self.history.of("clock"):
            return  # nobody can say what was before what
        liars = self.record.liars
        for attempt in self.attempts.values():
            wanted = WANTED.get(attempt.action_type)
            if wanted is None or attempt.phase is not Phase.SUCCEEDED or attempt.device_id in liars:
                continue
            if attempt.evidence.confirms and not self._was(attempt, wanted):
                yield f"{attempt.id} ({attempt.action_type}) succeeded, and the bolt was never there"

    def _was(self, attempt: Attempt, locked: bool) -> bool:
        """Whether the bolt stood there at some moment between acceptance and end."""
        stood = self.record.stood[attempt.device_id or ""]
        for moved_at, stands in self.record.moves_of(attempt.device_id):
            if moved_at > (attempt.settled_at or 0) + self.record.too_early:
                break
            if moved_at >= attempt.accepted_at and locked in {stood, stands}:
                return True
            stood = stands
        return stood is locked

    def _check_events_match_facts(self) -> Iterator[str]:
        told = Counter(
            (event.action_attempt_id, event.event_type)
            for event in self.events
            if event.event_type.startswith("action_attempt.")
        )
        expected = Counter(
            (
                attempt.id,
                f"action_attempt.{attempt.action_type.lower()}."
                + ("succeeded" if attempt.phase is Phase.SUCCEEDED else "failed"),
            )
            for attempt in self.attempts.values()
            if attempt.phase.is_final and attempt.action_type in ANNOUNCED
        )
        if told != expected:
            yield f"missing {expected - told}, untrue or doubled {told - expected}"
        if [event.sequence for event in self.events] != list(range(1, len(self.events) + 1)):
            yield "the sequence has a gap"
        if len({event.event_id for event in self.events}) != len(self.events):
            yield "an event is there twice"

    def _check_every_attempt_is_audited_once(self) -> Iterator[str]:
        audited, expected = Counter(self.record.audited), Counter(self.attempts.keys())
        if audited != expected:
            yield f"{expected - audited} unaudited, {audited - expected} doubled"

    def _check_each_turn_of_a_bolt_is_told_once(self) -> Iterator[str]:
        last: dict[str, str] = {}
        for event in self.events:
            if event.event_type in {"lock.locked", "lock.unlocked"} and event.device_id is not None:
                if last.get(event.device_id) == event.event_type:
                    yield f"{event.device_id} was told of {event.event_type} twice in a row"
                last[event.device_id] = event.event_type
        for device_id, word in last.items():
            stands = self.record.devices[device_id].state["locked"]
            if stands is not (word == "lock.locked"):
                yield f"{device_id} was last told of {word}, and its record says locked: {stands}"

    def _check_the_same_key_has_the_same_answer(self) -> Iterator[str]:
        answers: dict[str, set[str]] = defaultdict(set)
        for entry in self.history.of("answered"):
            answers[entry.how["name"]].add(entry.how["attempt_id"])
        for name, ids in answers.items():
            if len(ids) > 1:
                yield f"{name} was given {sorted(ids)}"
        made = Counter(_name_of(attempt) for attempt in self.attempts.values())
        for name, count in made.items():
            if count > 1 and name.startswith("caller"):
                yield f"{name} has {count} attempts"

    def _check_what_was_refused_is_not_done(self) -> Iterator[str]:
        refused = {
            entry.how["name"]: entry
            for entry in self.history.of("refused")
            if "name" in entry.how and entry.how.get("is_sure", True)
        }
        for entry in self.history.of("answered"):
            refused.pop(entry.how["name"], None)
        for attempt in self.attempts.values():
            name = _name_of(attempt)
            if name in refused and self.record.sent[attempt.id]:
                yield f"{name} was refused, and {attempt.id} was sent all the same"

    def _check_every_caller_with_a_key_is_answered(self) -> Iterator[str]:
        for key in self.record.unanswered:
            yield f"{key} was never answered"

    def _check_locks_hold_the_codes_that_they_shall(self) -> Iterator[str]:
        now = self.record.ended_at
        shall: dict[str, dict[str, str]] = {door: {} for door in self.record.holds}
        for code in self.record.codes.values():
            slot = wanted(code, now) if code.is_managed else None
            if slot is not None:
                shall[code.device_id][code.place] = self.record.open_pin(slot.pin)
            if slot is not None and (code.facts.errors or code.facts.warnings):
                yield f"{code.id} has {dict(code.facts.errors)} {dict(code.facts.warnings)} at a sound lock"
        for door, holds in self.record.holds.items():
            if door in self.record.liars:
                continue  # it said that it had let go of a code, or that it had it
            ours = {place: pin for place, pin in holds.items() if is_id(place)}
            if ours != shall[door]:
                yield f"{door} holds {ours} and shall hold {shall[door]}"

    def _check_codes_are_kept_and_let_go_of(self) -> Iterator[str]:
        # One that its lock held after all is there again as somebody else's.
        codes = {id for id, code in self.record.codes.items() if code.is_managed}
        told = Counter(
            (event.payload.get("access_code_id"), event.event_type.removeprefix("access_code."))
            for event in self.events
            if event.event_type.startswith("access_code.")
        )
        for entry in self.history.of("code made"):
            code_id = entry.how["code_id"]
            if told[code_id, "created"] != 1:
                yield f"{code_id} was told as created {told[code_id, 'created']} times"
            if told[code_id, "deleted"] != (code_id not in codes):
                yield f"{code_id} is {'kept' if code_id in codes else 'gone'}, and told as deleted"
        for entry in self.history.of("code deleted"):
            if entry.how["code_id"] in codes:
                yield f"{entry.how['code_id']} was to be deleted, and is there"

    def _check_every_event_arrives(self) -> Iterator[str]:
        missing = {event.event_id for event in self.events} - self.record.received
        if missing:
            types = sorted(event.event_type for event in self.events if event.event_id in missing)
            yield f"{len(missing)} events never came: {types[:5]}"

    def _check_nothing_is_left_uncaught(self) -> Iterator[str]:
        for entry in self.history.of("uncaught"):
            yield str(entry.how)


def _name_of(attempt: Attempt) -> str:
    """What who asked for it calls his call: it is the same for each repetition."""
    asked_by = attempt.asked_by
    return "" if asked_by is None else asked_by.actor or asked_by.request_id


_CHECK = "_check_"
#: Every check, by its name.
CHECKS = tuple(sorted(name.removeprefix(_CHECK) for name in vars(Promises) if name.startswith(_CHECK)))
