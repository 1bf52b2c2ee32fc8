"""Who may call what: the one table of it.

An API key and a personal access token open every endpoint that asks for a caller. What more is let in
stands here, path by path; whatever is not here is closed to it. What a client session may call is written
so that it sees what it reaches and nothing else (``Caller.reach``).
"""

from __future__ import annotations

from collections.abc import Mapping

from thumbturn.domain.workspace import KeyKind

KEYS = frozenset({KeyKind.API_KEY, KeyKind.PERSONAL_ACCESS_TOKEN})
PERSONS = frozenset({KeyKind.PERSONAL_ACCESS_TOKEN})

_SESSIONS = frozenset({KeyKind.CLIENT_SESSION})
_PUBLISHABLE = frozenset({KeyKind.PUBLISHABLE_KEY})

#: By path, what is let in besides keys.
ALSO_OPEN_TO: Mapping[str, frozenset[KeyKind]] = {
    "/client_sessions/create": _PUBLISHABLE,
    "/client_sessions/get": _SESSIONS,
    "/client_sessions/get_or_create": _PUBLISHABLE,
}

#: What somebody is told who may not call an endpoint with what he has.
NOT_WITH: Mapping[KeyKind, str] = {
    KeyKind.CLIENT_SESSION: "This endpoint is not open to client sessions: ask with an API key",
    KeyKind.PUBLISHABLE_KEY: "A publishable key opens nothing but /client_sessions/create and "
    "/client_sessions/get_or_create: ask with what you got there",
}
