"""Refusals that only HTTP knows: who asks, with what method, in what words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thumbturn.domain.errors import Refusal


class Unauthorized(Refusal, type="unauthorized", status=401):
    """No authentication methods succeeded"""


class WorkspaceNotFound(Refusal, type="workspace_not_found", status=401):
    """Workspace not found"""


class InvalidClientSessionToken(Refusal, type="invalid_client_session_token", status=400):
    """The token of a client session begins with seam_cst"""


class ClientSessionRevoked(Refusal, type="client_session_revoked", status=401):
    """This client session was revoked: ask for a new one"""


class ClientSessionExpired(Refusal, type="client_session_expired", status=401):
    """This client session has expired: ask for a new one"""


class InvalidPublishableKey(Refusal, type="invalid_publishable_key", status=401):
    """No workspace has this publishable key"""


class UserIdentifierKeyNeeded(Refusal, type="publishable_key_requires_user_identifier_key", status=401):
    """With a publishable key a user_identifier_key is required"""


class SessionMustBeEmpty(Refusal, type="publishable_keys_must_create_empty_client_sessions", status=403):
    """With a publishable key a client session begins with nothing: grant it access with an API key"""


class InvalidOptions(Refusal, type="invalid_options", status=400):
    """These parameters cannot be given here"""


class UnreadableRequest(Refusal, type="unreadable_request", status=400):
    """This could not be read as an HTTP request"""


class RequestTimedOut(Refusal, type="request_timeout", status=408):
    """The request did not come whole in time. Nothing was done: send it again"""


class NotFound(Refusal, type="not_found", status=404):
    """There is nothing at this path"""


class MethodNotAllowed(Refusal, type="method_not_allowed", status=405):
    """This method is not accepted here"""


class PayloadTooLarge(Refusal, type="payload_too_large", status=413):
    """The request is larger than this server accepts"""


class NotReady(Refusal, type="not_ready", status=503):
    """The server cannot do all of its work at the moment"""


class InvalidContentType(Refusal, type="invalid_content_type", status=400):
    """A body must come with the Content-Type header "application/json" and hold JSON"""


class InvalidQueryParams(Refusal, type="invalid_query_params", status=400):
    """The query string could not be parsed"""


class InvalidInput(Refusal, type="invalid_input", status=400):
    """The parameters are not what this endpoint takes"""

    def __init__(self, message: str, validation_errors: Mapping[str, Any]) -> None:
        super().__init__(message)
        #: Every problem at the place where it is: a tree whose nodes have ``_errors``.
        self.validation_errors = validation_errors

    @classmethod
    def whole(cls, message: str) -> InvalidInput:
        """A problem of the request as a whole, not of one parameter."""
        return cls(message, {"_errors": [message]})

    @classmethod
    def of(cls, name: str, problem: str) -> InvalidInput:
        """A problem of one parameter that only its endpoint can see."""
        return cls(f'{problem} for "{name}"', {"_errors": [], name: {"_errors": [problem]}})


class InvalidActor(Refusal, type="invalid_actor", status=400):
    """The header Thumbturn-Actor must hold 1 to 255 printable characters in UTF-8"""


class InvalidIdempotencyKey(Refusal, type="invalid_idempotency_key", status=400):
    """The header Idempotency-Key must hold 1 to 255 visible ASCII characters"""


class IdempotencyKeyReused(Refusal, type="idempotency_key_reused", status=409):
    """This Idempotency-Key belongs to a call with other parameters: send a new key with a new call"""


class IdempotencyKeyUnanswered(Refusal, type="idempotency_key_unanswered", status=409):
    """The first call with this Idempotency-Key was cut off, and may have been carried out: look at what
    is there before you ask again with a new key
    """


class MismatchedPageParameters(Refusal, type="mismatched_page_parameters", status=400):
    """The page_cursor belongs to a list with other parameters: ask on with the same ones"""


class EventNotFound(Refusal, type="event_not_found", status=404):
    """Event not found"""


class EventsForgotten(Refusal, type="events_forgotten", status=410):
    """Events behind this id are not kept any more"""


class TooManyStreams(Refusal, type="too_many_streams", status=429):
    """A workspace has at most 1,000 streams open at a time. Close one, or share one among several readers."""


class InvalidEventTypes(Refusal, type="invalid_event_types", status=400):
    """There is no such event type. Name types that /events/list knows, or * for all"""


class KeyNotFound(Refusal, type="key_not_found", status=404):
    """Key not found"""


class AccessTokenNeedsPerson(Refusal, type="personal_access_token_needed", status=400):
    """A personal access token belongs to a person: ask with one to get another"""
