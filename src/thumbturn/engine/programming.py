"""A lock's memory with the codes on record for it, as the actions on codes see it.

Implements ``ProgrammableLock`` of ``domain/capabilities/access_codes.py``. What becomes of a code goes to
the run, which puts it on record with its end: attempt, code and events become true together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from thumbturn.domain import access_code_news as news
from thumbturn.domain.access_code import AccessCode, Slot, code_at, looked_at, status, step, wanted
from thumbturn.domain.access_code_news import News
from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.clock import to_wire
from thumbturn.domain.errors import Failure
from thumbturn.engine.access_code_ports import AccessCodeStore, CodeFacts
from thumbturn.engine.run import Run


class Programming:
    """The memory of the lock that a run is about, and its codes."""

    def __init__(self, memory: CodeMemory, store: AccessCodeStore, run: Run) -> None:
        self.memory = memory
        self._store = store
        self._run = run

    async def code(self, access_code_id: str) -> AccessCode | None:
        """A code of the lock, as it is on record now."""
        found = await self._store.get(access_code_id)
        return found if found is not None and found.device_id == self._run.attempt.device_id else None

    async def codes(self) -> Sequence[AccessCode]:
        """All codes of the lock."""
        return await self._store.of_device(self._run.attempt.device_id or "")

    def programmed(self, code: AccessCode, slot: Slot | None) -> Mapping[str, Any]:
        """The lock holds this for it now; the code for the attempt's result."""
        found = news.programmed(code, slot, self._run.now(), self._run.attempt.id)
        self._note(found)
        return _summary(found.code, self._run.now())

    def failed(self, code: AccessCode, failure: Failure) -> None:
        """It could not be done."""
        self._note(news.failed(code, failure, self._run.now(), self._run.attempt.id, self._run.device))

    def converted(self, code: AccessCode) -> None:
        """From now on it is managed here."""
        self._note(news.converted(code, self._run.now(), self._run.attempt.id))

    def compare(self, codes: Sequence[AccessCode], holds: Mapping[str, Slot]) -> None:
        """Take in what the lock holds, and what follows for all its codes."""
        now, attempt_id = self._run.now(), self._run.attempt.id
        places = {code.place for code in codes}
        for code in codes:
            there, held = holds.get(code.place), code.facts.held
            if not code.is_managed:
                if there is None:
                    self._note(News(code, news.gone(code, now, attempt_id), is_gone=True))
                elif there.pin_key != code.pin_key:
                    # Somebody gave its place another PIN: it is gone, and another is there.
                    self._note(News(code, news.gone(code, now, attempt_id), is_gone=True))
                    self._found(code.place, there)
            elif code.facts.is_uncertain and _is_as_wanted(code, there, now):
                # It had worked after all, and not by this reading.
                self._note(news.programmed(code, there, now, None))
            elif held is not None and (there is None or not there.is_like(held)):
                self._note(news.changed_outside(code, there, now, attempt_id))
            elif code.facts.is_uncertain:
                # It is tried again, with its errors.
                self._note(News(code.but(held=there, is_uncertain=False)))
        for place, slot in holds.items():
            if place not in places:
                self._found(place, slot)

    def _found(self, place: str, slot: Slot) -> None:
        """The lock holds a code that nobody set from here."""
        attempt, now = self._run.attempt, self._run.now()
        code = AccessCode(
            id=code_at(attempt.device_id or "", place),
            workspace_id=attempt.workspace_id,
            device_id=attempt.device_id or "",
            connected_account_id=attempt.connected_account_id or "",
            name=slot.name,
            pin=slot.pin,
            pin_key=slot.pin_key,
            place=place,
            created_at=now,
            changed_at=now,
            is_managed=False,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
        )
        told = news.tell(code, "unmanaged.created", now, attempt.id)
        self._run.note((CodeFacts(code.but(held=slot), is_new=True),), (told,))

    def _note(self, found: News) -> None:
        code = looked_at(found.code, self._run.now())
        self._run.note((CodeFacts(code, is_gone=found.is_gone),), found.events)


def _is_as_wanted(code: AccessCode, there: Slot | None, now: int) -> bool:
    """Whether a lock that holds this for it holds what it shall."""
    if there is None:
        return wanted(code, now) is None
    return step(code.but(held=there, is_uncertain=False), now) is None


def _summary(code: AccessCode, now: int) -> Mapping[str, Any]:
    """The code as an attempt's result has it: results are kept in clear, so its PIN is not in it."""
    times = {"starts_at": code.starts_at, "ends_at": code.ends_at}
    return {
        "access_code_id": code.id,
        "device_id": code.device_id,
        "workspace_id": code.workspace_id,
        "name": code.name,
        "code": None,
        "type": code.kind,
        "status": status(code, now),
        "is_managed": code.is_managed,
        "created_at": to_wire(code.created_at),
        **{name: None if moment is None else to_wire(moment) for name, moment in times.items()},
    }
