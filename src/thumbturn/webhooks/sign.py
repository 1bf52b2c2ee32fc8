"""The headers that prove who a delivery is from, as Standard Webhooks and Svix have them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook as Scheme

from thumbturn.domain.clock import SECOND


class Signature:
    """Signs with one secret, or with two while one takes over from the other."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._schemes = [Scheme(secret) for secret in secrets]

    def headers(self, event_id: str, body: str, at: int) -> dict[str, str]:
        """The headers of a delivery that is sent at this moment, µs.

        The id is the event's: the same at each try, so that a receiver knows what it has seen.
        """
        moment = datetime.fromtimestamp(at // SECOND, UTC)
        signatures = " ".join(scheme.sign(event_id, moment, body) for scheme in self._schemes)
        said = {"id": event_id, "timestamp": str(at // SECOND), "signature": signatures}
        # Receivers know these under either name: the standard's, and that of who first had them.
        return {f"{prefix}-{name}": value for prefix in ("webhook", "svix") for name, value in said.items()}
