"""Being asked twice: ``Idempotency-Key`` (docs/idempotency.md).

A key is taken by the first good answer, in the transaction that also holds the attempt; so whether
a second call may act is decided by the database, which outlives us. Nothing is read before: that the
key is new is the rule, and its insertion finds out. Calls that begin no attempt are noted before they
act, and their answer is put to the note; a note without an answer is a call that was cut off, and
nobody may say what it did.

While a call is under way in this process, others with its key wait for it here.
"""

from __future__ import annotations

import asyncio
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import structlog
from cryptography.fernet import Fernet
from pydantic import BaseModel

from thumbturn.api.call import USER_HEADER, Call
from thumbturn.api.callers import Bearer, Caller
from thumbturn.api.commands import ABOUT_TIME
from thumbturn.api.once import AnswerOf, AnswerOfAll, Begin, BeginAll, Once
from thumbturn.api.refusals import (
    IdempotencyKeyReused,
    IdempotencyKeyUnanswered,
    InvalidIdempotencyKey,
)
from thumbturn.api.reply import answer_body
from thumbturn.api.waiting import waits
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import Clock
from thumbturn.domain.errors import Refusal
from thumbturn.domain.idempotency import FirstAnswer, KeyTaken
from thumbturn.engine.ports import Store

log = structlog.get_logger("thumbturn.api")

HEADER = b"idempotency-key"
REPLAYED = "idempotent-replayed"
_KEY = re.compile(r"[!-~]{1,255}")
#: Scopes that are remembered to be taken, so that asking for them again does not try to insert them.
_MOST_REMEMBERED = 10_000

Act = Callable[[], Awaitable[Mapping[str, Any]]]
UnderWay = asyncio.Future[FirstAnswer | None]


class Asked(NamedTuple):
    """A call with a key, boiled down to what tells it from others."""

    workspace_id: str
    scope: str
    fingerprint: str
    #: What its answer is sealed with, if that may hold secrets: it follows from the caller's own
    #: token and key, which are not on record, or sealed.
    seal: bytes

    def sealed(self, body: bytes) -> str:
        """The body, for the disk."""
        return Fernet(self.seal).encrypt(body).decode()

    def opened(self, first: FirstAnswer) -> bytes:
        """The body of a first answer of the same scope."""
        body = (first.body or "").encode()
        return Fernet(self.seal).decrypt(body) if first.attempt_id is None else body


class FirstTime(Once):
    """The first call with a key: what it begins is begun, and its answer kept with that."""

    __slots__ = ("_note", "_tell")

    def __init__(self, note: FirstAnswer, tell: Callable[[FirstAnswer], None]) -> None:
        self._note = note
        self._tell = tell

    async def attempt(self, begin: Begin, answer_of: AnswerOf) -> Attempt:
        attempt = await begin(keep=lambda new: self._keep(new, answer_of(new)))
        # Whoever asks the same meanwhile need not wait for what this caller waits for.
        self._tell(self._note)
        return attempt

    async def attempts(self, begin: BeginAll, answer_of: AnswerOfAll) -> Sequence[Attempt]:
        attempts = await begin(keep=lambda new: self._keep(new[0], answer_of(new)))
        self._tell(self._note)
        return attempts

    def _keep(self, attempt: Attempt, answer: Mapping[str, Any]) -> FirstAnswer:
        self._note = self._note._replace(attempt_id=attempt.id, body=answer_body(answer).decode())
        return self._note


class Again(Once):
    """The same call once more: what it began is there, and nothing is begun."""

    __slots__ = ("_attempts",)

    def __init__(self, attempts: Sequence[Attempt]) -> None:
        self._attempts = attempts

    async def attempt(self, begin: Begin, answer_of: AnswerOf) -> Attempt:
        return self._attempts[0]

    async def attempts(self, begin: BeginAll, answer_of: AnswerOfAll) -> Sequence[Attempt]:
        return self._attempts


class Idempotency:
    """Sees to it that a key acts once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._under_way: dict[str, UnderWay] = {}
        self._taken: dict[str, None] = {}
        #: Notes of calls that came to nothing and could not be removed.
        self._void: set[str] = set()

    async def answer(
        self, call: Call, bearer: Bearer | None, ask: BaseModel, act: Act, *, begins_attempt: bool
    ) -> bytes:
        """The body for this call: ``act``'s if it is the first with its key, else the first one's.

        Raises ``InvalidIdempotencyKey``, ``IdempotencyKeyReused``, ``IdempotencyKeyUnanswered`` and
        whatever ``act`` raises; a refusal of its leaves the key unused.
        """
        asked = _asked(call, bearer, ask)
        while True:
            # Shielded: one who goes away does not take it from the others.
            while (under_way := self._under_way.get(asked.scope)) is not None:
                first = await asyncio.shield(under_way)
                if first is not None:
                    return await self._replay(first, asked, call, ask, act)
            under_way = self._under_way[asked.scope] = asyncio.get_running_loop().create_future()
            try:
                if asked.scope not in self._taken:
                    return await self._act(asked, call, act, under_way, begins_attempt=begins_attempt)
            except KeyTaken:
                self._remember(asked.scope)
            finally:
                del self._under_way[asked.scope]
                if not under_way.done():
                    under_way.set_result(None)
            first = await self._store.first_answer(asked.scope, self._clock.now())
            if first is None or asked.scope in self._void:
                await self._free(asked.scope)
            else:
                return await self._replay(first, asked, call, ask, act)

    async def _act(
        self, asked: Asked, call: Call, act: Act, under_way: UnderWay, *, begins_attempt: bool
    ) -> bytes:
        note = FirstAnswer(asked.scope, asked.fingerprint, self._clock.now())
        if not begins_attempt:
            call.is_noted = True
            return await self._act_between(note, asked, act, under_way)

        def tell(first: FirstAnswer) -> None:
            self._remember(asked.scope)
            under_way.set_result(first)

        call.once = FirstTime(note, tell)
        try:
            return answer_body(await act())
        except Refusal as refusal:
            # What is refused today may have been done yesterday: its device is gone since.
            is_ours = refusal.status < 500 and not under_way.done()
            if is_ours and await self._store.first_answer(asked.scope, note.begun_at) is not None:
                raise KeyTaken from refusal
            raise

    async def _act_between(self, note: FirstAnswer, asked: Asked, act: Act, under_way: UnderWay) -> bytes:
        if not await self._store.claim(note):
            raise KeyTaken
        try:
            body = answer_body(await act())
        except Refusal:
            await self._release(asked.scope)
            raise
        except BaseException:  # also when it is given up: what it did nobody knows, and the note says so
            self._remember(asked.scope)
            under_way.set_result(note)
            raise
        self._remember(asked.scope)
        first = note._replace(body=asked.sealed(body))
        try:
            await self._store.complete(first)
        except Refusal as refusal:
            # It is done, and the caller shall hear so. Later it can only be said that nobody knows.
            log.warning("first_answer_not_kept", because=refusal.message)
        under_way.set_result(first)
        return body

    async def _replay(self, first: FirstAnswer, asked: Asked, call: Call, ask: BaseModel, act: Act) -> bytes:
        if first.fingerprint != asked.fingerprint:
            raise IdempotencyKeyReused
        if first.body is None:
            raise IdempotencyKeyUnanswered
        call.add_reply_header(REPLAYED, "true")
        if first.attempt_id is not None and waits(call, sync=getattr(ask, "sync", False)):
            attempt = await self._store.attempt(asked.workspace_id, first.attempt_id)
            if attempt is not None:
                attempts = [attempt]
                if attempt.batch_id is not None:
                    attempts = await self._store.batch(asked.workspace_id, attempt.batch_id)
                call.once = Again(attempts)
                return answer_body(await act())
        return asked.opened(first)

    async def _release(self, scope: str) -> None:
        try:
            await self._store.release(scope)
        except Refusal:
            self._void.add(scope)

    async def _free(self, scope: str) -> None:
        self._taken.pop(scope, None)
        if scope in self._void:
            await self._store.release(scope)
            self._void.discard(scope)

    def _remember(self, scope: str) -> None:
        while len(self._taken) >= _MOST_REMEMBERED:
            del self._taken[next(iter(self._taken))]
        self._taken[scope] = None


def _asked(call: Call, bearer: Bearer | None, ask: BaseModel) -> Asked:
    key = call.header(HEADER) or ""
    if not _KEY.fullmatch(key):
        raise InvalidIdempotencyKey
    workspace_id = bearer.workspace.id if isinstance(bearer, Caller) else ""
    caller = "" if bearer is None else bearer.key.id
    shown = "\0".join([*call.shown(), *filter(None, [call.header(USER_HEADER)])])
    whole = f"{workspace_id}\0{call.path}\0{caller}\0{shown}\0{key}"
    # One half is written down and says nothing about the other.
    digest = blake2b(whole.encode("utf-8", "surrogatepass")).digest()
    about_time = {name: getattr(ask, name) for name in ABOUT_TIME if name in ask.model_fields_set}
    given = json.dumps(ask.model_dump(exclude_unset=True) | about_time, sort_keys=True, default=str)
    fingerprint = blake2b(given.encode(), key=digest[32:], digest_size=18).digest()
    return Asked(
        workspace_id,
        scope=urlsafe_b64encode(digest[:18]).decode(),
        fingerprint=urlsafe_b64encode(fingerprint).decode(),
        seal=urlsafe_b64encode(digest[32:]),
    )
