"""When a code lets in: what may be asked for."""

from __future__ import annotations

from thumbturn.domain.errors import Refusal


class InvalidCodeTimes(Refusal, type="invalid_access_code_times", status=400):
    """A code needs both starts_at and ends_at, or neither; it must end after it starts, and in the future"""


def check_times(starts_at: int | None, ends_at: int | None, now: int) -> None:
    """Return if a code may have these times. Raises ``InvalidCodeTimes``."""
    if starts_at is None and ends_at is None:
        return
    if starts_at is None or ends_at is None or ends_at <= max(starts_at, now):
        raise InvalidCodeTimes
