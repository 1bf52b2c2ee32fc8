"""What is wrong with a device, and what is to be warned of, in the wire's own shape: docs/troubles.md."""

from __future__ import annotations

from typing import Any

from thumbturn.domain.clock import to_wire
from thumbturn.domain.device import UNPAID_SINCE, Device, offline_error, removed_error, unpaid_error
from thumbturn.domain.pin import POOL_ENABLED

#: Of ``Device.state``: since when a lock holds as many codes as it can, µs; ``None`` while it does not.
FULL_SINCE = "codes_full_since"
#: Of ``Device.state``, while fewer backups stand ready at a lock than shall: ``empty`` or ``partial``, and
#: since when, µs.
POOL_LACKS = "backup_pool_lacks"
EMPTY, PARTIAL = "empty", "partial"


def errors_of(device: Device) -> list[dict[str, Any]]:
    """Why it cannot do what it should; empty while nothing is wrong."""
    state = device.state
    since = state.get("offline_since") or device.created_at
    errors: list[dict[str, Any]] = []
    if not device.online:
        errors.append(offline_error(state, since))
    if state.get("removed"):
        errors.append(removed_error(since))
    if state.get(UNPAID_SINCE) is not None:
        errors.append(unpaid_error(state[UNPAID_SINCE]))
    lacks, since = _pool(device)
    if lacks == EMPTY:
        errors.append(
            {
                "error_code": "empty_backup_access_code_pool",
                "message": "No backup code stands ready at this lock.",
                "created_at": to_wire(since),
                "is_device_error": True,
            }
        )
    return errors


def warnings_of(device: Device) -> list[dict[str, Any]]:
    """What is to be warned of at a lock."""
    warnings: list[dict[str, Any]] = []
    full_since = device.state.get(FULL_SINCE)
    if full_since is not None:
        most = int(device.details["max_active_codes_supported"])
        warnings.append(
            {
                "warning_code": "max_access_codes_reached",
                "message": "The lock holds as many codes as it can.",
                "created_at": to_wire(full_since),
                "active_access_code_count": most,
                "max_active_access_code_count": most,
            }
        )
    lacks, since = _pool(device)
    if lacks == PARTIAL:
        warnings.append(
            {
                "warning_code": "partial_backup_access_code_pool",
                "message": "Fewer backup codes than usual stand ready at this lock.",
                "created_at": to_wire(since),
            }
        )
    return warnings


def fullness(device: Device, codes_held: int, now: int) -> dict[str, Any]:
    """What is news of its state, now that it is known to hold so many codes."""
    most = device.details.get("max_active_codes_supported")
    is_full, was_full = most is not None and codes_held >= most, device.state.get(FULL_SINCE) is not None
    return {} if is_full is was_full else {FULL_SINCE: now if is_full else None}


def readiness(device: Device, backups_ready: int, wanted: int, now: int) -> dict[str, Any]:
    """What is news of its state, now that so many backups of those wanted stand ready."""
    lacks = EMPTY if not backups_ready else PARTIAL if backups_ready < wanted else None
    if (device.state.get(POOL_LACKS) or (None,))[0] == lacks:
        return {}
    return {POOL_LACKS: None if lacks is None else [lacks, now]}


def _pool(device: Device) -> tuple[str | None, int]:
    lacks = device.state.get(POOL_LACKS)
    return (lacks[0], lacks[1]) if lacks is not None and device.settings.get(POOL_ENABLED) else (None, 0)
