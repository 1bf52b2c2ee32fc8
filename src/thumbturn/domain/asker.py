"""Who asked for something, kept with what came of it."""

from __future__ import annotations

from typing import NamedTuple

from thumbturn.domain.workspace import Key

#: How long the name of an actor may be.
LONGEST_ACTOR = 255


class Asker(NamedTuple):
    """A token, the person behind it, and whom the caller says it asks for."""

    #: The key's id; never the token.
    key_id: str
    #: What the token is: ``api_key``, ``personal_access_token``, ….
    kind: str
    #: The person of a personal access token.
    user_id: str | None
    #: The request in which it was asked.
    request_id: str
    #: Whom the caller asks for, in the caller's own words: the header ``Thumbturn-Actor``.
    actor: str | None = None


def asker_with(key: Key, request_id: str, actor: str | None = None) -> Asker:
    """Whoever holds this key, asking in this request."""
    return Asker(key.id, key.kind.value, key.user_id, request_id, actor)


def is_actor(text: str) -> bool:
    """True for 1 to 255 printable characters that are not all blank."""
    return len(text) <= LONGEST_ACTOR and text.isprintable() and bool(text.strip())
