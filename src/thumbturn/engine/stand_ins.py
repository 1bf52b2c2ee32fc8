"""The backup that lets in instead of a code: it ends with the code, and goes with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from thumbturn.domain.access_code import AccessCode, looked_at
from thumbturn.domain.access_code_changes import told_of_removal, told_of_update
from thumbturn.domain.event import Event
from thumbturn.engine.access_code_ports import AccessCodeStore, CodeStored
from thumbturn.engine.labels import Labels


class Followed(NamedTuple):
    """A backup that follows its code, and what is told of that."""

    backup: AccessCode
    told: Sequence[Event]


class StandIns:
    """The backups that stand in for codes."""

    def __init__(self, store: AccessCodeStore, labels: Labels) -> None:
        self._store = store
        self._labels = labels

    async def removed_with(self, code: AccessCode, now: int) -> list[Followed]:
        """The backup of a code that is being removed, removed with it."""
        backup = await self._of(code, now)
        if backup is None:
            return []
        removed = replace(backup, removed_at=now, changed_at=now)
        return [Followed(looked_at(removed, now), told_of_removal(removed, now))]

    async def ending_with(self, codes: Iterable[AccessCode], now: int) -> list[Followed]:
        """The backups of these codes, with their ends.

        A code that has no end any more leaves its backup the one that it had: a backup always has one.
        """
        followed = []
        for code in codes:
            backup = await self._of(code, now)
            if backup is None or code.ends_at is None or backup.ends_at == code.ends_at:
                continue
            after = looked_at(replace(backup, ends_at=code.ends_at, changed_at=now), now)
            told = told_of_update(backup, after, now, was_at_lock=not backup.is_certainly_off)
            followed.append(Followed(after, told))
        return followed

    async def change(
        self, codes: Sequence[AccessCode], told: Iterable[Event], followed: Sequence[Followed]
    ) -> CodeStored:
        """Store what codes shall be, and their backups with them, as one."""
        events = list(told)
        if followed:
            with_theirs = [event for each in followed for event in each.told]
            backups = [each.backup for each in followed]
            stored = await self._store.change([*codes, *backups], self._labels.on(events + with_theirs))
            if stored is not CodeStored.MISSING:
                return stored
            # A backup may just have come to its end: that must not keep its code from being changed.
        return await self._store.change(codes, self._labels.on(events))

    async def _of(self, code: AccessCode, now: int) -> AccessCode | None:
        """The backup that stands in for a code, and is not over."""
        if code.pulled_backup_id is None:
            return None
        backup = await self._store.get(code.pulled_backup_id)
        return backup if backup is not None and backup.is_managed and not backup.is_over(now) else None
