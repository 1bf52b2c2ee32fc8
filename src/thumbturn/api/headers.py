"""The headers beside the body: which there are, where they count, and what each is for.

OpenAPI, the docs and what browsers are told all come from this table. Headers that hold a token are not
in it: those are security schemes (``openapi.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from thumbturn.domain.asker import LONGEST_ACTOR
from thumbturn.domain.workspace import KeyKind

if TYPE_CHECKING:
    from thumbturn.api.endpoint import Endpoint


class Known(NamedTuple):
    """A header as it is described to people."""

    name: str
    meaning: str
    #: The page of the docs that says more; ``""`` if there is none.
    page: str
    schema: Mapping[str, Any]
    #: Whether it counts at this endpoint.
    counts_at: Callable[[Endpoint], bool]


#: In requests. Each may be left out.
OF_REQUESTS = (
    Known(
        "Idempotency-Key",
        "The same key, the same call: within 24 hours it acts once, and is answered once more.",
        "idempotency.md",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        lambda endpoint: endpoint.acts,
    ),
    Known(
        "Prefer",
        "`wait=N`: answer when the attempt has ended or N seconds are over, at most 60. "
        "`respond-async`: answer at once.",
        "waiting.md",
        {"type": "string", "examples": ["wait=20"]},
        lambda endpoint: endpoint.waits,
    ),
    Known(
        "Thumbturn-Actor",
        "For whom you ask, in your own words: printable characters in UTF-8. It is kept with what was done.",
        "why.md#who-asked",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_ACTOR},
        lambda endpoint: endpoint.acts,
    ),
    Known(
        "seam-user-identifier-key",
        "The user of a page that shows a publishable key, in the place of `user_identifier_key`.",
        "client-sessions.md#publishable-keys",
        {"type": "string"},
        lambda endpoint: KeyKind.PUBLISHABLE_KEY in endpoint.open_to,
    ),
    Known(
        "traceparent",
        "Your W3C trace context: where the server sends traces, its own are below it.",
        "operating.md#traces",
        {"type": "string", "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]},
        lambda endpoint: endpoint.access is not None,
    ),
    Known(
        "Last-Event-ID",
        "The last id that you were told: the stream goes on right behind it.",
        "stream.md",
        {"type": "string"},
        lambda endpoint: endpoint.is_stream,
    ),
)

SEAM_REQUEST_ID = Known(
    "seam-request-id",
    "The id of this request, by which its lines are found in the log. On every reply.",
    "",
    {"type": "string"},
    lambda _: True,
)
RETRY_AFTER = Known(
    "Retry-After",
    "Seconds to wait before you ask again. With every 503.",
    "",
    {"type": "string", "pattern": "^[0-9]+$"},
    lambda _: True,
)
#: In good replies only; the first and the last of ``OF_REPLIES`` are in refusals, too.
_OF_GOOD_REPLIES = (
    Known(
        "Idempotent-Replayed",
        "`true` when the call was made before under its `Idempotency-Key`, and this is the answer of then.",
        "idempotency.md",
        {"type": "string", "const": "true"},
        lambda endpoint: endpoint.acts,
    ),
    Known(
        "Preference-Applied",
        "What the server made of `Prefer`.",
        "waiting.md",
        {"type": "string"},
        lambda endpoint: endpoint.waits,
    ),
)
OF_REPLIES = (SEAM_REQUEST_ID, *_OF_GOOD_REPLIES, RETRY_AFTER)

#: The names as browsers are told them.
SENT_BY_PAGES = ", ".join(known.name.lower() for known in OF_REQUESTS).encode()
SHOWN_TO_PAGES = ", ".join(known.name.lower() for known in OF_REPLIES).encode()


def parameters_of(endpoint: Endpoint) -> list[dict[str, Any]]:
    """The request headers that count at an endpoint, as OpenAPI has them."""
    return [
        {"name": known.name, "in": "header", "required": False, **_described(known)}
        for known in OF_REQUESTS
        if known.counts_at(endpoint)
    ]


def of_good_replies(endpoint: Endpoint) -> dict[str, Any]:
    """The headers of an endpoint's good replies, as OpenAPI has them."""
    found = {known.name: _described(known) for known in _OF_GOOD_REPLIES if known.counts_at(endpoint)}
    return {SEAM_REQUEST_ID.name: {"required": True, **_described(SEAM_REQUEST_ID)}, **found}


def of_refusals() -> dict[str, Any]:
    """The headers of a refusal, as OpenAPI has them."""
    return {
        SEAM_REQUEST_ID.name: {"required": True, **_described(SEAM_REQUEST_ID)},
        RETRY_AFTER.name: _described(RETRY_AFTER),
    }


def _described(known: Known) -> dict[str, Any]:
    return {"description": known.meaning, "schema": dict(known.schema)}
