"""Who may call what: the one table of it.

An API key and a personal access token open every endpoint that asks for a caller. What more is let in
stands here, path by path; whatever is not here is closed to it. What a client session may call is written
so that it sees what it reaches and nothing else (``Caller.reach``).
"""

from __future__ import annotations

from collections.abc import Mapping

from thumbturn.domain.workspace import KeyKind

_KEYS = frozenset({KeyKind.API_KEY, KeyKind.PERSONAL_ACCESS_TOKEN})
_PERSONS = frozenset({KeyKind.PERSONAL_ACCESS_TOKEN})

_SESSIONS = frozenset({KeyKind.CLIENT_SESSION})
_PUBLISHABLE = frozenset({KeyKind.PUBLISHABLE_KEY})

#: By path, what is let in besides keys.
ALSO_OPEN_TO: Mapping[str, frozenset[KeyKind]] = {
    "/access_codes/create": _SESSIONS,
    "/access_codes/delete": _SESSIONS,
    "/access_codes/generate_code": _SESSIONS,
    "/access_codes/get": _SESSIONS,
    "/access_codes/list": _SESSIONS,
    "/access_codes/create_multiple": _SESSIONS,
    "/access_codes/pull_backup_access_code": _SESSIONS,
    "/access_codes/report_device_constraints": _SESSIONS,
    "/access_codes/update_multiple": _SESSIONS,
    "/access_codes/simulate/create_unmanaged_access_code": _SESSIONS,
    "/access_codes/unmanaged/convert_to_managed": _SESSIONS,
    "/access_codes/unmanaged/delete": _SESSIONS,
    "/access_codes/unmanaged/get": _SESSIONS,
    "/access_codes/unmanaged/list": _SESSIONS,
    "/access_codes/unmanaged/update": _SESSIONS,
    "/access_codes/update": _SESSIONS,
    "/acs/access_groups/delete": _SESSIONS,
    "/acs/credentials/list": _SESSIONS,
    "/acs/entrances/get": _SESSIONS,
    "/acs/entrances/list": _SESSIONS,
    "/acs/entrances/list_credentials_with_access": _SESSIONS,
    "/acs/systems/list": _SESSIONS,
    "/acs/users/list": _SESSIONS,
    "/acs/users/list_accessible_entrances": _SESSIONS,
    "/action_attempts/get": _SESSIONS,
    "/client_sessions/create": _PUBLISHABLE,
    "/client_sessions/get": _SESSIONS,
    "/client_sessions/get_or_create": _PUBLISHABLE,
    "/connect_webviews/create": _SESSIONS,
    "/connect_webviews/get": _SESSIONS,
    "/connect_webviews/list": _SESSIONS,
    "/connected_accounts/get": _SESSIONS,
    "/devices/get": _SESSIONS,
    "/devices/list": _SESSIONS,
    "/devices/list_device_providers": _SESSIONS,
    "/devices/unmanaged/get": _SESSIONS,
    "/devices/update": _SESSIONS,
    "/events/get": _SESSIONS,
    "/events/list": _SESSIONS,
    "/locks/configure_auto_lock": _SESSIONS,
    "/locks/get": _SESSIONS,
    "/locks/list": _SESSIONS,
    "/locks/lock_door": _SESSIONS,
    "/locks/unlock_door": _SESSIONS,
    "/noise_sensors/list": _SESSIONS,
    "/noise_sensors/noise_thresholds/list": _SESSIONS,
    "/phones/deactivate": _SESSIONS,
    "/thermostats/cool": _SESSIONS,
    "/thermostats/create_climate_preset": _SESSIONS,
    "/thermostats/daily_programs/create": _SESSIONS,
    "/thermostats/daily_programs/delete": _SESSIONS,
    "/thermostats/daily_programs/update": _SESSIONS,
    "/thermostats/delete_climate_preset": _SESSIONS,
    "/thermostats/heat": _SESSIONS,
    "/thermostats/heat_cool": _SESSIONS,
    "/thermostats/list": _SESSIONS,
    "/thermostats/off": _SESSIONS,
    "/thermostats/schedules/create": _SESSIONS,
    "/thermostats/schedules/delete": _SESSIONS,
    "/thermostats/schedules/get": _SESSIONS,
    "/thermostats/schedules/list": _SESSIONS,
    "/thermostats/schedules/update": _SESSIONS,
    "/thermostats/set_fan_mode": _SESSIONS,
    "/thermostats/set_hvac_mode": _SESSIONS,
    "/thermostats/update_climate_preset": _SESSIONS,
    "/thermostats/update_weekly_program": _SESSIONS,
    "/thumbturn/attempts/batch": _SESSIONS,
    "/thumbturn/attempts/batch/get": _SESSIONS,
    "/thumbturn/attempts/cancel": _SESSIONS,
    "/thumbturn/attempts/explain": _SESSIONS,
    "/thumbturn/attempts/search": _SESSIONS,
    "/thumbturn/attempts/timeline": _SESSIONS,
    "/thumbturn/stream": _SESSIONS,
    "/user_identities/list": _SESSIONS,
    "/user_identities/list_accessible_entrances": _SESSIONS,
    "/user_identities/list_acs_systems": _SESSIONS,
    "/user_identities/unmanaged/list": _SESSIONS,
    "/user_identities/unmanaged/update": _SESSIONS,
    "/workspaces/get": _SESSIONS,
    "/workspaces/list": _SESSIONS,
}

#: What somebody is told who may not call an endpoint with what he has.
NOT_WITH: Mapping[KeyKind, str] = {
    KeyKind.CLIENT_SESSION: "This endpoint is not open to client sessions: ask with an API key",
    KeyKind.PUBLISHABLE_KEY: "A publishable key opens nothing but /client_sessions/create and "
    "/client_sessions/get_or_create: ask with what you got there",
}


def open_to(path: str, *, persons_only: bool = False) -> frozenset[KeyKind]:
    """The kinds of tokens that this path may be called with."""
    return (_PERSONS if persons_only else _KEYS) | ALSO_OPEN_TO.get(path, frozenset())
