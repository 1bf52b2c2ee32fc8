"""What a refusal is answered with."""

from __future__ import annotations

import pytest

from thumbturn.api.reply import failure_body
from thumbturn.domain.refusals import StorageUnavailable


@pytest.mark.parametrize("spelled", ["Retry-After", "retry-after", "RETRY-AFTER"])
def test_when_to_come_again_is_said_once(spelled: str):
    """However whoever refused has spelled it, with the time that he gave."""
    status, _, headers = failure_body(StorageUnavailable(headers={spelled: "7"}), "r")
    assert (status, headers) == (503, ((b"retry-after", b"7"),))


def test_whoever_is_refused_because_of_us_is_told_when_to_come_again():
    """Also where nobody has thought of it."""
    _, _, [(name, value)] = failure_body(StorageUnavailable(), "r")
    assert name == b"retry-after"
    assert int(value) > 0
