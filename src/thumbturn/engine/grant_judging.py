"""What a grant and its methods are, as what they rest on shows them to be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from thumbturn.domain.access_grant import AccessGrant, GrantedMethod
from thumbturn.engine.standing import Standing


def method_judged(
    grant: AccessGrant, method: GrantedMethod, standing: Standing, now: int, *, has_encoder: bool
) -> GrantedMethod:
    """The method as what it rests on shows it to be."""
    is_wanted = method.is_wanted(grant, now)
    is_everywhere = (
        bool(method.device_ids or method.acs_entrance_ids)
        and set(standing.at_device_ids) >= set(method.device_ids)
        and set(standing.opened_entrance_ids) >= set(method.acs_entrance_ids)
    )
    issued_at = method.issued_at
    if not is_wanted:
        issued_at = None if standing.is_off else issued_at
    elif method.mode == "card":
        issued_at = standing.written_at if is_everywhere else None
    elif is_everywhere:
        issued_at = issued_at or now
    elif standing.is_off and not standing.opened_entrance_ids:
        # One door that is missing does not revoke it: that it opens nothing does.
        issued_at = None
    failure = standing.problems[0] if is_wanted and standing.problems else None
    is_late = is_wanted and standing.is_late
    # One that is written and opens nothing, because of its user, need not be written again.
    is_to_be_written = standing.written_at is None or standing.is_behind
    is_card_due = is_wanted and method.mode == "card" and is_to_be_written
    return replace(
        method,
        leaving_device_ids=tuple(standing.leaving_device_ids),
        issued_at=issued_at,
        was_issued=method.was_issued or issued_at is not None,
        at_device_ids=tuple(standing.at_device_ids),
        opened_entrance_ids=tuple(standing.opened_entrance_ids),
        is_behind=is_wanted and standing.is_behind,
        is_encoding_required=is_card_due and has_encoder and bool(method.acs_entrance_ids),
        can_be_encoded=has_encoder,
        failure=failure,
        failed_at=None if failure is None else method.failed_at or now,
        delayed_at=(method.delayed_at or now) if is_late else None,
        leaving_at=(method.leaving_at or now) if standing.leaving_device_ids else None,
        stuck=standing.stuck,
        stuck_at=min(standing.stuck_since, default=None),
    )


def grant_judged(grant: AccessGrant, methods: Iterable[GrantedMethod], now: int) -> AccessGrant:
    """The grant as its methods show it to be."""
    open_methods = [method for method in methods if method.is_wanted(grant, now)]
    entrances = [id for method in open_methods for id in method.opened_entrance_ids]
    devices = {id for method in open_methods for id in method.at_device_ids}
    doors = {*grant.planned_device_ids, *grant.planned_entrance_ids}
    is_settled = not any(method.is_behind for method in open_methods)
    times = (
        (None, None, None) if is_settled else (grant.old_starts_at, grant.old_ends_at, grant.times_changed_at)
    )
    shall = {id for method in open_methods for id in method.device_ids}
    is_moved = shall == devices and not any(method.leaving_device_ids for method in open_methods)
    return replace(
        grant,
        doors_changed_at=None if is_moved else grant.doors_changed_at,
        opened_entrance_ids=tuple(dict.fromkeys(entrances)),
        is_told_all=bool(doors) and doors <= devices.union(entrances) and not grant.missing_device_ids,
        old_starts_at=times[0],
        old_ends_at=times[1],
        times_changed_at=times[2],
    )
