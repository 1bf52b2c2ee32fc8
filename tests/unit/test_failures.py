"""What is said of each cause for which an attempt ends in error."""

from __future__ import annotations

import re

import pytest

from thumbturn.domain import failures
from thumbturn.domain.errors import FAILURES, Failure


def test_the_list_is_the_one_that_is_closed():
    """The failures are those of one module, and the one whose reason is not known."""
    declared = {each for each in vars(failures).values() if isinstance(each, type)}
    assert set(FAILURES.values()) == declared


@pytest.mark.parametrize("type_", sorted(FAILURES))
def test_every_failure_says_what_to_do_next(type_):
    """The advice is one sentence; where the device may have acted it says to look at the device first."""
    advice = FAILURES[type_].advice
    assert re.fullmatch(r"[A-Z][^.!?]+\.", advice), advice
    if FAILURES[type_].may_have_acted:
        assert advice.startswith("Look at the device")
    if FAILURES[type_] is not Failure:
        assert advice != Failure.advice


def test_a_failure_without_advice_cannot_be_declared():
    """Whoever adds a cause has to say what to do about it."""
    with pytest.raises(TypeError, match="advice"):
        type("Melted", (Failure,), {}, type="melted")
    assert "melted" not in FAILURES
