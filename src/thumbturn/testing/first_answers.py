"""First answers that are forgotten when the process ends."""

from __future__ import annotations

from thumbturn.domain.idempotency import FirstAnswer


class MemoryFirstAnswers(dict[str, FirstAnswer]):
    """What a ``Store`` remembers of the first calls with a key, by their scope."""

    def take(self, first: FirstAnswer) -> bool:
        """Remember that a call is under way; ``False`` if its key is taken."""
        known = self.get(first.scope)
        if known is not None and not known.is_over(first.begun_at):
            return False
        self[first.scope] = first
        return True

    async def complete(self, first: FirstAnswer) -> None:
        """Remember what the call that is under way was answered."""
        known = self.get(first.scope)
        if known is not None and known.begun_at == first.begun_at:
            self[first.scope] = known._replace(body=first.body)

    async def release(self, scope: str) -> None:
        """Forget a call that is under way."""
        known = self.get(scope)
        if known is not None and known.body is None:
            del self[scope]

    async def first_answer(self, scope: str, now: int) -> FirstAnswer | None:
        """What is known of the first call with a key."""
        found = self.get(scope)
        return None if found is None or found.is_over(now) else found

    async def forget(self, begun_before: int, most: int) -> bool:
        """Remove the oldest that were begun at this moment or earlier; true if there may be more."""
        old = [first for first in self.values() if first.begun_at <= begun_before]
        for first in sorted(old, key=lambda first: first.begun_at)[:most]:
            del self[first.scope]
        return len(old) >= most
