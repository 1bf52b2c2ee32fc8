"""What is on record in a run: in the model of the store, or in a real SQLite database.

Both outlive the server, and are looked into from outside by the run and by the promises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol
from unittest.mock import patch

from sqlalchemy import URL, Connection

from thumbturn.domain.access_code import AccessCode
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.chain import Sealed
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event
from thumbturn.engine.access_code_ports import CodeFilter
from thumbturn.storage import access_codes, attempts, audit, devices, events
from thumbturn.storage.databases import parse_url, reading_engine, writing_engine
from thumbturn.storage.open import migrate
from thumbturn.storage.reader import Reader
from thumbturn.storage.store import SqlStore
from thumbturn.storage.writer import Writer
from thumbturn.testing.store import MemoryStore

#: More than a run has of anything.
ALL = 1_000_000


class Kept(Protocol):
    """Where a run keeps what is on record."""

    def begin(self) -> Any:
        """The store, for another life of the server. On the loop that it lives in."""

    def end(self) -> None:
        """The life is over: as the system does, let go of its connections."""

    def close(self) -> None:
        """The run is over."""

    def attempts(self) -> Mapping[str, Attempt]:
        """Every attempt, by its id."""

    def events(self, workspace_id: str) -> list[Event]:
        """What a workspace was told, in order."""

    def devices(self) -> Mapping[str, Device]:
        """Every device, by its id."""

    def codes(self, workspace_id: str) -> Mapping[str, AccessCode]:
        """The codes of a workspace, by their ids."""

    def audited(self, workspace_id: str) -> list[str]:
        """The attempts that the audit trail of a workspace names, as often as it does."""


class InModel:
    """Implements ``Kept`` in the model of the store."""

    def __init__(self) -> None:
        self._store = MemoryStore()

    def begin(self) -> MemoryStore:
        self._store._listeners.clear()
        return self._store

    def end(self) -> None:
        """It has no connections."""

    def close(self) -> None:
        """It has none of its own either."""

    def attempts(self) -> Mapping[str, Attempt]:
        return self._store._attempts

    def events(self, workspace_id: str) -> list[Event]:
        return self._store._events[workspace_id]

    def devices(self) -> Mapping[str, Device]:
        return self._store._devices

    def codes(self, workspace_id: str) -> Mapping[str, AccessCode]:
        return self._store.access_codes._codes

    def audited(self, workspace_id: str) -> list[str]:
        return _attempts_in(self._store._trails._entries[workspace_id])


class InSqlite:
    """Implements ``Kept`` in a database of SQLite, with the real store on it but without its threads."""

    def __init__(self, folder: Path) -> None:
        file = folder / "simulated.db"
        file.write_bytes(_empty_database())
        self._url = parse_url(f"sqlite:///{file}")
        self._reading = reading_engine(self._url)
        self._own: Connection | None = None
        self._store: _SameThread | None = None

    def begin(self) -> SqlStore:
        self._store = _SameThread(self._url)
        return self._store

    def end(self) -> None:
        if self._store is not None:
            self._store.let_go()

    def close(self) -> None:
        """Let go of the run's own connection."""
        if self._own is not None:
            self._own.close()

    def attempts(self) -> Mapping[str, Attempt]:
        everything = {"device_id": None, "action_types": None, "after": None, "limit": ALL}
        found = attempts.listed(self._connection, WORKSPACE_ID, **everything)
        return {attempt.id: attempt for attempt in found}

    def events(self, workspace_id: str) -> list[Event]:
        return [each.event for each in events.after(self._connection, workspace_id, 0, ALL)]

    def devices(self) -> Mapping[str, Device]:
        return {device.id: device for device in devices.every_device(self._connection)}

    def codes(self, workspace_id: str) -> Mapping[str, AccessCode]:
        found = access_codes._listed(self._connection, workspace_id, CodeFilter(), None, ALL)
        return {code.id: code for code in found}

    def audited(self, workspace_id: str) -> list[str]:
        engine = writing_engine(self._url)
        with engine.connect() as connection:
            is_more = True
            while is_more:
                with connection.begin():
                    is_more = audit.seal_waiting(connection)
        return _attempts_in(audit.trail(self._connection, workspace_id, 0, ALL).entries)

    @property
    def _connection(self) -> Connection:
        if self._own is None:
            self._own = self._reading.connect()
        return self._own


#: The only one that a run has.
WORKSPACE_ID = "w1"


def _attempts_in(entries: Iterable[Sealed]) -> list[str]:
    ids = [sealed.entry["ids"] for sealed in entries]
    return [each["action_attempt_id"] for each in ids if "action_attempt_id" in each]


class _SameThread(SqlStore):
    """The real store; what its threads would do is done on the loop, where it is handed over to them."""

    def __init__(self, url: URL) -> None:
        with patch("threading.Thread", _NoThread):
            super().__init__(url, waiting_at_most=20_000, readers=1)
        self._write_queue = _Writing(self._writer)
        self._read_queue = _Reading(self._reader)
        self._writer._waves = self._write_queue  # type: ignore[assignment]
        self._reader._jobs = self._read_queue  # type: ignore[assignment]

    def let_go(self) -> None:
        """Close its connections."""
        self._writer._line.let_go()
        self._read_queue.let_go()


class _NoThread:
    """Stands where a thread is started."""

    def __init__(self, **_: Any) -> None:
        pass

    def start(self) -> None:
        """Nothing runs beside the loop."""


class _Writing:
    """Stands where the writer's thread waits for waves."""

    def __init__(self, writer: Writer[Any]) -> None:
        self._writer = writer

    def put(self, wave: Any) -> None:
        """Commit a wave, and tell of it at the loop's next turn."""
        answers = self._writer._settle(wave)
        asyncio.get_running_loop().call_soon(self._writer._tell, wave, answers, None)


class _Reading:
    """Stands where the reader's thread waits for questions."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._connection: Connection | None = None

    def put(self, job: Any) -> None:
        """Answer a question."""
        if self._connection is None:
            self._connection = self._reader._engine.connect()
        try:
            job.future.set_result(job.question(self._connection))
        except Exception as problem:  # noqa: BLE001 - whoever asked gets it
            job.future.set_exception(problem)

    def let_go(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


@lru_cache(maxsize=1)
def _empty_database() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        migrate(f"sqlite:///{file}")
        return file.read_bytes()
