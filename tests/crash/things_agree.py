"""What is on record of codes, cards and devices, against what these really hold and what was told."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.crash.varied import Answered
from thumbturn.domain.attempt import FINAL

#: What a thermostat and a noise sensor are set to, by its name in a device's state and in the journal.
SET = ("noise_thresholds", "hvac_mode_setting", "heating_set_point_celsius", "fan_mode_setting")
#: Every way in which an attempt at an encoder may end, that nobody refused or cancelled.
AT_ENCODERS = {None, "card_to_be_presented_again"}


class Records:
    """A database whose server was killed, and the world that it left."""

    def __init__(self, database_url: str, journal: Path) -> None:
        engine = sa.create_engine(database_url)
        with engine.connect() as connection:

            def rows(text: str) -> list[dict[str, Any]]:
                found = [dict(row) for row in connection.execute(sa.text(text)).mappings()]
                return [
                    {
                        name: json.loads(value) if name in _JSON and isinstance(value, str) else value
                        for name, value in row.items()
                    }
                    for row in found
                ]

            self.attempts = {row["id"]: row for row in rows("select * from attempts")}
            self.events = rows("select * from events order by workspace_id, sequence")
            self.codes = {row["id"]: row for row in rows("select * from access_codes")}
            self.devices = {row["id"]: row for row in rows("select * from devices")}
        engine.dispose()
        self.holds: dict[str, dict[str, Any]] = defaultdict(dict)
        # On PostgreSQL each cell has a file of its own, and a device is in one of them.
        files = sorted(journal.parent.glob(f"{journal.stem}*{journal.suffix}"))
        for line in (line for file in files for line in file.read_text().splitlines()):
            said = json.loads(line)
            self.holds[said["device_id"]].update(said.get("now", {}))

    def is_busy(self, device_id: str) -> bool:
        """True while something is to be done at the device, or was under way when the server died."""
        return any(
            attempt["device_id"] == device_id and attempt["phase"] not in FINAL
            for attempt in self.attempts.values()
        )

    def check(self, answered: Answered, cards: list[str]) -> None:
        """Raise with what does not agree, if anything."""
        self._codes_are_kept_and_told_once(answered)
        self._locks_hold_what_is_on_record()
        self._devices_are_set_as_is_on_record()
        self._cards_are_as_attempts_say(cards)

    def _codes_are_kept_and_told_once(self, answered: Answered) -> None:
        told = Counter((event["payload"].get("access_code_id"), event["event_type"]) for event in self.events)
        known = {id for id, _ in told if id is not None}
        lost = [
            id for id in answered.codes if id not in self.codes and (id, "access_code.deleted") not in told
        ]
        assert not lost, f"codes that were answered, and lost: {lost}"
        for id in known | self.codes.keys():
            assert told[id, "access_code.created"] == 1, f"created more or less than once: {id}"
            is_gone = id not in self.codes
            assert told[id, "access_code.deleted"] == is_gone, f"on record, and told as deleted, or not: {id}"
        set_by = Counter(
            (event["payload"]["access_code_id"], event["action_attempt_id"])
            for event in self.events
            if event["event_type"] == "access_code.set_on_device" and event["action_attempt_id"]
        )
        for (code_id, attempt_id), times in set_by.items():
            attempt = self.attempts[attempt_id]
            assert (attempt["phase"], times) == ("succeeded", 1), (
                f"{code_id} was set by {attempt}, {times} times"
            )

    def _locks_hold_what_is_on_record(self) -> None:
        for code in self.codes.values():
            facts = code["facts"]
            if self.is_busy(code["device_id"]) or facts["is_uncertain"]:
                continue
            there = self.holds[code["device_id"]].get(f"code:{code['place']}")
            held = facts["held"]
            assert (held and held["pin_key"]) == (there and there["pin_key"]), (
                f"{code}: its lock holds {there}"
            )
        on_record = {(code["device_id"], f"code:{code['place']}") for code in self.codes.values()}
        for device_id, holds in self.holds.items():
            left = [place for place, slot in holds.items() if place.startswith("code:") and slot is not None]
            unknown = [place for place in left if (device_id, place) not in on_record]
            assert not unknown or self.is_busy(device_id), f"{device_id} holds codes of nobody: {unknown}"

    def _devices_are_set_as_is_on_record(self) -> None:
        for id, device in self.devices.items():
            if self.is_busy(id):
                continue
            said = {name: self.holds[id][name] for name in SET if name in self.holds[id]}
            known = {name: device["state"].get(name) for name in said}
            assert known == said, f"{id} is set to {said}, on record is {known}"

    def _cards_are_as_attempts_say(self, cards: list[str]) -> None:
        ends = [
            attempt
            for attempt in self.attempts.values()
            if attempt["action_type"] in ("SCAN_CREDENTIAL", "ENCODE_CREDENTIAL", "SCAN_TO_ASSIGN_CREDENTIAL")
            and attempt["phase"] in FINAL
        ]
        odd = {attempt["failure_type"] for attempt in ends} - AT_ENCODERS
        assert not odd, f"attempts at encoders ended as {odd}"
        issued = Counter(
            event["payload"].get("acs_credential_id")
            for event in self.events
            if event["event_type"] in ("acs_credential.issued", "acs_credential.reissued")
        )
        encoded: Counter[str] = Counter()
        open_ones = set()
        for attempt in self.attempts.values():
            if attempt["action_type"] == "ENCODE_CREDENTIAL":
                id = attempt["ask"]["acs_credential_id"]
                encoded[id] += attempt["phase"] == "succeeded"
                if attempt["phase"] not in FINAL:
                    open_ones.add(id)
        for id in set(cards) - open_ones:
            assert issued[id] == encoded[id], f"{id} was issued {issued[id]} times by {encoded[id]} attempts"


_JSON = frozenset({"payload", "facts", "state", "ask", "result", "marks", "details"})
