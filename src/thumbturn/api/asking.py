"""Who asks for something that acts, as it is kept: the key, its person, and ``Thumbturn-Actor``."""

from __future__ import annotations

from thumbturn.api.call import Call
from thumbturn.api.callers import Bearer
from thumbturn.api.refusals import InvalidActor
from thumbturn.domain.asker import Asker, asker_with, is_actor

#: The header's name, and how it came before its bytes were read as UTF-8.
_ACTOR, _LATIN = b"thumbturn-actor", "latin-1"


def asker_of(call: Call, bearer: Bearer) -> Asker:
    """Who makes this call. Raises ``InvalidActor`` for a header that nobody could read in a list."""
    actor = call.header(_ACTOR)
    return asker_with(bearer.key, call.request_id, None if actor is None else _readable(actor))


def _readable(header: str) -> str:
    try:
        actor = header.encode(_LATIN).decode()
    except UnicodeDecodeError:
        raise InvalidActor from None
    if not is_actor(actor):
        raise InvalidActor
    return actor
