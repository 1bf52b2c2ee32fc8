"""Access codes that are forgotten when the process ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from thumbturn.domain.access_code import AccessCode
from thumbturn.domain.access_code_news import entered_by, is_by_code
from thumbturn.domain.client_session import among
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event
from thumbturn.engine.access_code_ports import CodeFacts, CodeFilter, CodeStored


class MemoryAccessCodes:
    """Implements ``engine.access_code_ports.AccessCodeStore`` with dictionaries."""

    def __init__(
        self, device: Callable[[str], Device | None], tell: Callable[[Sequence[Event]], None]
    ) -> None:
        self._device = device
        self._tell = tell
        self._codes: dict[str, AccessCode] = {}
        self._keys: dict[str, str] = {}

    async def add(self, codes: Sequence[AccessCode], told: Sequence[Event]) -> CodeStored:
        for code in codes:
            device = self._device(code.device_id)
            if device is None or device.workspace_id != code.workspace_id:
                return CodeStored.MISSING
        return self._put(codes, told)

    async def change(self, codes: Sequence[AccessCode], told: Sequence[Event]) -> CodeStored:
        known = [self._codes.get(code.id) for code in codes]
        if any(
            old is None or old.workspace_id != code.workspace_id
            for old, code in zip(known, codes, strict=True)
        ):
            return CodeStored.MISSING
        kept = [
            replace(code, facts=old.facts, is_managed=old.is_managed)
            for old, code in zip(known, codes, strict=True)
            if old is not None
        ]
        return self._put(kept, told)

    async def note(self, facts: Sequence[CodeFacts], told: Sequence[Event]) -> None:
        if all(each.is_new or each.code.id in self._codes for each in facts):
            self.learn(facts)
            self._tell(told)

    async def get(self, access_code_id: str) -> AccessCode | None:
        return self._codes.get(access_code_id)

    async def listed(
        self, workspace_id: str, wanted: CodeFilter, *, after: tuple[int, str] | None = None, limit: int
    ) -> list[AccessCode]:
        found = [
            code
            for code in self._codes.values()
            if code.workspace_id == workspace_id
            and wanted.is_managed in (None, self._is_looked_after(code))
            and _fits(code, wanted)
        ]
        found.sort(key=lambda code: (code.created_at, code.id))
        return [code for code in found if after is None or (code.created_at, code.id) > after][:limit]

    async def of_device(self, device_id: str, *, due_by: int | None = None) -> list[AccessCode]:
        return [
            code
            for code in self._codes.values()
            if code.device_id == device_id
            and (due_by is None or (code.due_at is not None and code.due_at <= due_by))
        ]

    async def due(self, after: int, until: int) -> list[str]:
        return list(
            {
                code.device_id: None
                for code in self._codes.values()
                if code.due_at is not None and after < code.due_at <= until
            }
        )

    async def next_due(self, after: int) -> int | None:
        moments = [code.due_at for code in self._codes.values() if code.due_at is not None]
        return min((moment for moment in moments if moment > after), default=None)

    async def keep_key(self, id: str, sealed: str) -> str:
        return self._keys.setdefault(id, sealed)

    def learn(self, facts: Iterable[CodeFacts]) -> None:
        """Take in what became of codes at their locks."""
        for code, is_gone, is_new in facts:
            known = self._codes.get(code.id)
            if is_gone:
                self._codes.pop(code.id, None)
            elif is_new:
                if known is None and not self._is_taken(code):
                    self._codes[code.id] = code
            elif known is not None:
                self._codes[code.id] = replace(
                    known, facts=code.facts, due_at=code.due_at, is_managed=code.is_managed
                )

    def naming(self, told: Iterable[Event]) -> list[Event]:
        """The events, of which some tell of bolts that were moved by codes, with what is known of those."""
        return [self._naming(event) if is_by_code(event) else event for event in told]

    def _naming(self, event: Event) -> Event:
        code = self._codes.get(event.payload["access_code_id"])
        if code is None:
            return event
        lock = self._device(code.device_id)
        by_what = entered_by(code, is_managed=lock is not None and lock.is_managed)
        return event._replace(payload={**event.payload, **by_what})

    def of_locks(self, device_ids: Collection[str]) -> list[AccessCode]:
        """Those of these locks."""
        return [code for code in self._codes.values() if code.device_id in device_ids]

    def forget(self, device_ids: Collection[str]) -> None:
        """Forget those of these locks."""
        kept = {id: each for id, each in self._codes.items() if each.device_id not in device_ids}
        self._codes = kept

    def _is_looked_after(self, code: AccessCode) -> bool:
        lock = self._device(code.device_id)
        return code.is_managed and lock is not None and lock.is_managed

    def _put(self, codes: Sequence[AccessCode], told: Sequence[Event]) -> CodeStored:
        if any(self._is_taken(code) for code in codes):
            return CodeStored.TAKEN
        self._codes |= {code.id: code for code in codes}
        self._tell(told)
        return CodeStored.DONE

    def _is_taken(self, code: AccessCode) -> bool:
        return any(
            (each.device_id, each.pin_key) == (code.device_id, code.pin_key) and each.id != code.id
            for each in self._codes.values()
        )


def _fits(code: AccessCode, wanted: CodeFilter) -> bool:
    asked = (
        (wanted.device_id, code.device_id),
        (wanted.pin_key, code.pin_key),
        (wanted.common_code_key, code.common_code_key),
        (wanted.is_backup, code.is_backup),
    )
    return (
        all(value is None or value == has for value, has in asked)
        and (wanted.ids is None or code.id in wanted.ids)
        and (wanted.search is None or wanted.search.casefold() in (code.name or "").casefold())
        and among(wanted.reach, code.connected_account_id)
    )
