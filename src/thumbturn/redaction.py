"""Keeps tokens and PINs out of log lines, wherever in a line they stand.

Three nets, because each has holes: what stands under a telling name, what is a secret of the request or
the attempt that the task is about, and what looks like a token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from structlog.typing import EventDict

from thumbturn.domain.about import ATTEMPT, REQUEST
from thumbturn.domain.discretion import HIDDEN
from thumbturn.domain.keys import TOKEN

#: Parts of a name under which nothing is shown.
_TELLING = re.compile(
    r"(?:^|_)(?:code|codes|pin|pins|password|passwd|secret|secrets|token|tokens|authorization|cookie|signature"
    r"|credentials|api_?key|database_url)(?:$|_)",
    re.IGNORECASE,
)
#: Names that end in a word of the above and hold none.
_HARMLESS = frozenset({"status_code", "error_code", "exit_code", "reason_code", "country_code"})
_LIKE_A_SECRET = re.compile(
    rf"(?P<token>{TOKEN})"
    r"|whsec_[A-Za-z0-9+/_-]{8,}={0,2}"
    r"|(?P<scheme>\b(?:Bearer|Basic)\s+)[^\s\"',;]+"
    # A password in a URL.
    r"|(?P<before>\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?P<after>@)",
    re.IGNORECASE,
)
#: Fewer characters than this are no secret, and looking for them would make a line unreadable.
SHORTEST = 3
#: Where nothing is looked for: they are ours, and a short PIN may be part of an id by chance.
_IDS = frozenset({"request_id", "action_attempt_id", "device_id", "timestamp", "level"})


def redact(_logger: object, _method: str, line: EventDict) -> EventDict:
    """The line without secrets. A structlog processor; it must come after exceptions were formatted."""
    secrets = [secret for about in (REQUEST.get(), ATTEMPT.get()) if about for secret in about.secrets()]
    # The longest first, so that one that is part of another leaves nothing of it.
    secrets = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)
    return {key: value if key in _IDS else _clean(key, value, secrets) for key, value in line.items()}


def about(_logger: object, _method: str, line: EventDict) -> EventDict:
    """The line with the ids of what its task is about. A structlog processor."""
    for subject in (REQUEST.get(), ATTEMPT.get()):
        if subject is not None:
            for name, id in subject.ids().items():
                line.setdefault(name, id)
    return line


def _clean(name: str, value: Any, secrets: list[str]) -> Any:
    if name not in _HARMLESS and _TELLING.search(name.replace("-", "_")):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(_text(str(key), secrets)): _clean(str(key), each, secrets) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", each, secrets) for each in value]
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return HIDDEN if str(value) in secrets else value
    # Whatever else it is, it would be written by its own words.
    return _text(value if isinstance(value, str) else repr(value), secrets)


def _text(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return _LIKE_A_SECRET.sub(_hide, text)


def _hide(found: re.Match[str]) -> str:
    kept = found["scheme"] or found["before"] or ""
    return f"{kept}{HIDDEN}{found['after'] or ''}"
