"""The official SDKs, unmodified, against a process that owns nothing: the tests that its owner passes."""

from __future__ import annotations

from tests.wire.sdk.test_javascript_sdk import *  # noqa: F403
