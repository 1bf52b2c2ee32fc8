"""The official Python SDK, likewise; it has fixtures of the names that others have."""

from __future__ import annotations

from tests.wire.sdk.test_python_sdk import *  # noqa: F403
