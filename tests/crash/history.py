"""The promises, checked against what a server left behind: its database and its devices' journal."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from thumbturn.domain.announcing import ANNOUNCED
from thumbturn.domain.attempt import FINAL

#: The command in the journal, for the actions that reach a bolt.
COMMAND = {"UNLOCK_DOOR": "unlock", "LOCK_DOOR": "lock"}


def sqlalchemy_url(database_url: str | None, data: Path) -> str:
    """Where the database of a server is: the given one, or the file in its folder."""
    if database_url is None:
        return f"sqlite:///{data / 'thumbturn.db'}"
    return database_url.replace("postgresql://", "postgresql+psycopg://", 1)


class History:
    """Everything a server has on record, and what its virtual devices really did."""

    def __init__(self, database_url: str, journal: Path) -> None:
        engine = sa.create_engine(database_url)
        with engine.connect() as connection:
            rows = connection.execute(sa.text("select * from attempts order by accepted_at, id")).mappings()
            self.attempts: dict[str, dict[str, Any]] = {row["id"]: dict(row) for row in rows}
            rows = connection.execute(
                sa.text("select * from events order by workspace_id, sequence")
            ).mappings()
            self.events: list[dict[str, Any]] = [dict(row) for row in rows]
            lines = "select attempt_id from {} where attempt_id is not null"
            self.audited: Counter[str] = Counter()
            for table in ("audit_entries", "audit_waiting"):
                self.audited.update(connection.execute(sa.text(lines.format(table))).scalars())
        engine.dispose()
        for attempt in self.attempts.values():
            if isinstance(attempt["marks"], str):
                attempt["marks"] = json.loads(attempt["marks"])
        # On PostgreSQL each cell has a file of its own.
        files = sorted(journal.parent.glob(f"{journal.stem}*{journal.suffix}"))
        lines = [line for file in files for line in file.read_text().splitlines()]
        self.actuations = [json.loads(line) for line in lines]

    def finals(self) -> dict[str, tuple[Any, ...]]:
        """How each ended attempt ended."""
        return {
            attempt["id"]: (
                attempt["phase"],
                str(attempt["result"]),
                attempt["failure_type"],
                attempt["failure_message"],
                attempt["settled_at"],
            )
            for attempt in self.attempts.values()
            if attempt["phase"] in FINAL
        }

    def stages(self, attempt: dict[str, Any], stage: str) -> list[int]:
        """When the attempt passed through this stage, µs."""
        return [mark[1] for mark in attempt["marks"] if mark[0] == stage]

    def check(self, answered: Iterable[str], known_finals: dict[str, tuple[Any, ...]]) -> None:
        """Raise with the broken promise, if one is."""
        self._answered_means_kept(answered)
        self._ends_stay(known_finals)
        self._events_match_ends()
        self._sequences_have_no_gap()
        self._every_attempt_is_audited_once()
        self._devices_did_only_what_was_sent()

    def _answered_means_kept(self, answered: Iterable[str]) -> None:
        lost = set(answered) - self.attempts.keys()
        assert not lost, f"answered, and lost: {sorted(lost)[:5]} ({len(lost)} in all)"

    def _ends_stay(self, known: dict[str, tuple[Any, ...]]) -> None:
        now = self.finals()
        changed = {each: (end, now.get(each)) for each, end in known.items() if now.get(each) != end}
        assert not changed, f"ended, and changed after: {changed}"

    def _events_match_ends(self) -> None:
        told = Counter(
            (event["action_attempt_id"], event["event_type"])
            for event in self.events
            if event["event_type"].startswith("action_attempt.")
        )
        expected = Counter(
            (
                attempt["id"],
                f"action_attempt.{attempt['action_type'].lower()}."
                + ("succeeded" if attempt["phase"] == "succeeded" else "failed"),
            )
            for attempt in self.attempts.values()
            if attempt["phase"] in FINAL and attempt["action_type"] in ANNOUNCED
        )
        assert told == expected, f"missing {expected - told}, untrue or doubled {told - expected}"

    def _sequences_have_no_gap(self) -> None:
        by_workspace: dict[str, list[int]] = defaultdict(list)
        for event in self.events:
            by_workspace[event["workspace_id"]].append(event["sequence"])
        for workspace_id, numbers in by_workspace.items():
            assert numbers == list(range(1, len(numbers) + 1)), f"a gap in the events of {workspace_id}"

    def _every_attempt_is_audited_once(self) -> None:
        expected = Counter(self.attempts.keys())
        assert self.audited == expected, (
            f"{expected - self.audited} unaudited, {self.audited - expected} doubled"
        )

    def _devices_did_only_what_was_sent(self) -> None:
        """Each actuation belongs to one send of one attempt, before its deadline; unlocks to one each."""
        sends: dict[tuple[str, str], list[tuple[int, int, str]]] = defaultdict(list)
        for attempt in self.attempts.values():
            command = COMMAND.get(attempt["action_type"])
            if command is None:
                continue
            resent = self.stages(attempt, "resent")
            assert not (resent and command == "unlock"), f"an unlock was sent again: {attempt}"
            early = [at for at in self.stages(attempt, "sent") if at < (attempt["not_before"] or 0)]
            assert not early, f"it was sent before its moment: {attempt}"
            if attempt["failure_type"] == "cancelled":
                assert not self.stages(attempt, "sent"), f"it was sent, and cancelled all the same: {attempt}"
            for sent_at in self.stages(attempt, "sent") + resent:
                sends[attempt["device_id"], command].append((sent_at, attempt["deadline_at"], attempt["id"]))
        for line in self.actuations:
            key = (line["device_id"], line["did"])
            if line["did"] not in COMMAND.values():
                continue
            fitting = [send for send in sends[key] if send[0] <= line["at"] < send[1]]
            assert fitting, f"a device acted and nobody had sent anything, or too late: {line}"
            # Sends of one device do not overlap, so the last one before the act is its cause.
            sends[key].remove(max(fitting))
