"""Who asked for something, kept with what came of it."""

from __future__ import annotations

from typing import NamedTuple

from thumbturn.domain.workspace import Key, KeyKind

#: How long the name of an actor may be.
LONGEST_ACTOR = 255


class Asker(NamedTuple):
    """A token, the person behind it, and whom the caller says it asks for."""

    #: The id of the key or the client session; never the token.
    key_id: str
    #: What the token is: ``api_key``, ``personal_access_token``, ….
    kind: str
    #: The person of a personal access token.
    user_id: str | None
    #: The request in which it was asked.
    request_id: str
    #: Whom the caller asks for, in the caller's own words: the header ``Thumbturn-Actor``.
    actor: str | None = None

    def token(self) -> dict[str, str | None]:
        """What is kept of the token, its keys in order."""
        return token_of(self.key_id, self.kind, self.user_id)

    def in_words(self) -> str:
        """Who it is, for a sentence."""
        named = "client session" if self.kind == KeyKind.CLIENT_SESSION else "key"
        token = f"{named} {self.key_id}"
        return token if self.actor is None else f"{self.actor}, {token}"


def token_of(id: str, kind: str, user_id: str | None) -> dict[str, str | None]:
    """What is kept of a token by whose id and of what kind it is. This shape is for ever: audit trails
    rest on it.
    """
    name = "client_session_id" if kind == KeyKind.CLIENT_SESSION else "key_id"
    return {name: id, "kind": kind, "user_id": user_id}


def asker_with(key: Key, request_id: str, actor: str | None = None) -> Asker:
    """Whoever holds this key, asking in this request."""
    return Asker(key.id, key.kind.value, key.user_id, request_id, actor)


def is_actor(text: str) -> bool:
    """True for 1 to 255 printable characters that are not all blank."""
    return len(text) <= LONGEST_ACTOR and text.isprintable() and bool(text.strip())
