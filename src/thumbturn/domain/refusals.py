"""Refusals that more than one part of the house needs to name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thumbturn.domain.errors import Refusal


class DeviceNotFound(Refusal, type="device_not_found", status=404):
    """Device not found"""


class ActionAttemptNotFound(Refusal, type="action_attempt_not_found", status=404):
    """action_attempt not found"""


class TooLateToCancel(Refusal, type="too_late_to_cancel", status=409):
    """The command was sent already, so it cannot be cancelled: wait for the attempt's end"""


class WebhookNotFound(Refusal, type="webhook_not_found", status=404):
    """Webhook not found"""


class WebhookIsDisabled(Refusal, type="webhook_disabled", status=400):
    """This webhook is disabled: enable it first, at /thumbturn/webhooks/enable."""


class TooManyWebhooks(Refusal, type="too_many_webhooks", status=400):
    """A workspace has at most 100 webhooks. Delete one that is not needed any more."""


class TooManyKeys(Refusal, type="too_many_keys", status=400):
    """A workspace has at most 1,000 keys that are not revoked, and a person as many access tokens. Revoke
    one that is not needed any more.
    """


class TooManyWorkspaces(Refusal, type="too_many_workspaces", status=400):
    """A person is a member of at most 10,000 workspaces."""


class ClientSessionNotFound(Refusal, type="client_session_not_found", status=404):
    """Client session not found"""


class ClientSessionExists(Refusal, type="client_session_token_already_exists", status=400):
    """This user has a client session already: ask for it at /client_sessions/get_or_create"""


class TooManyClientSessions(Refusal, type="too_many_client_sessions", status=400):
    """A workspace has at most 100,000 client sessions. Delete some that are not needed any more."""


class ConnectedAccountNotFound(Refusal, type="connected_account_not_found", status=404):
    """Connected account not found"""


class ConnectWebviewNotFound(Refusal, type="connect_webview_not_found", status=404):
    """Connect webview not found"""


class TooManyConnectWebviews(Refusal, type="too_many_connect_webviews", status=400):
    """A workspace has at most 100,000 connect webviews. Delete some that are not needed any more."""


class UserIdentityNotFound(Refusal, type="user_identity_not_found", status=404):
    """User identity not found"""


class CustomerNotFound(Refusal, type="customer_not_found", status=404):
    """Customer not found"""


class TooManyOpenAttempts(Refusal, type="too_many_open_attempts", status=429):
    """A workspace has at most 100,000 attempts open at a time. Nothing was done: cancel some, or try again
    when some have ended.
    """


class BatchNotFound(Refusal, type="batch_not_found", status=404):
    """Batch not found"""


class BatchRefused(Refusal, type="batch_refused", status=400):
    """One of the commands cannot be accepted, so none was: see which and why in data"""

    def __init__(
        self,
        index: int,
        because: Refusal,
        message: str | None = None,
        *,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, data=data)
        #: Which of the commands, from zero, and what it would be refused with by itself.
        self.index, self.because = index, because


class DeviceTypeNotSupported(Refusal, type="device_type_not_supported", status=400):
    """This device cannot do that."""


class DeviceIsNotThermostat(Refusal, type="device_is_not_thermostat", status=400):
    """This device is no thermostat."""


class DeviceUnmanaged(Refusal, type="device_unmanaged", status=400):
    """This device is not managed here: it can be looked at, and not commanded."""


class DeviceManaged(Refusal, type="device_managed", status=400):
    """This device is managed: ask for it at /devices."""


class WorkspaceNotSandbox(Refusal, type="workspace_not_sandbox", status=400):
    """This works in sandbox workspaces only."""


class Overloaded(Refusal, type="overloaded", status=503):
    """More work is waiting to be stored than this server accepts. Nothing was done: try again
    after the time in Retry-After.
    """


class StorageUnavailable(Refusal, type="storage_unavailable", status=503):
    """The database cannot be reached. Nothing was done: try again after the time in Retry-After."""


class Fenced(Refusal, type="moved_elsewhere", status=503):
    """What was asked for is another process's to do by now. Nothing was done: try again after the time in
    Retry-After.
    """


class InvalidWebhookUrl(Refusal, type="invalid_webhook_url", status=400):
    """A webhook cannot go there."""


class OwnerMissing(Refusal, type="owner_missing", status=503):
    """No process works for this workspace at the moment. Nothing was done: try again after the time in
    Retry-After.
    """


class AnswerLost(Refusal, type="answer_lost", status=503):
    """The process that works for this workspace took the call and did not answer. What was asked may have
    been done: look before you ask again.
    """
