"""Why something is not done with access codes that somebody asks for."""

from __future__ import annotations

from thumbturn.domain.access_code import AccessCode
from thumbturn.domain.errors import Refusal
from thumbturn.engine.access_code_ports import CodeStored


class AccessCodeNotFound(Refusal, type="access_code_not_found", status=404):
    """Access code not found"""


class DuplicateAccessCode(Refusal, type="duplicate_access_code", status=409):
    """A code of this lock is the same already: choose another"""


class AccessCodeIsOver(Refusal, type="access_code_over", status=409):
    """This code is being removed, and stays as it was: create a new one"""


class LockIsOffline(Refusal, type="device_offline", status=400):
    """The lock is offline, and the code was not to wait for it"""


def raise_for(stored: CodeStored, code: AccessCode) -> None:
    """Return if it was stored. Raises ``DuplicateAccessCode``, ``AccessCodeNotFound``."""
    if stored is CodeStored.TAKEN:
        raise DuplicateAccessCode(data={"device_id": code.device_id})
    if stored is CodeStored.MISSING:
        raise AccessCodeNotFound(data={"access_code_id": code.id})
