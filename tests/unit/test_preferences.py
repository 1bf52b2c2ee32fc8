"""The header Prefer: what is understood of it, and what is as good as absent."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbturn.api.waiting import LONGEST_WAIT, preferred


@pytest.mark.parametrize(
    ("header", "seconds", "applied"),
    [
        ("wait=5", 5, "wait=5"),
        ("wait=0", 0, "wait=0"),
        ("wait=60", 60, "wait=60"),
        ("wait=61", 60, "wait=60"),
        ("wait=" + "9" * 900, 60, "wait=60"),
        ('Wait = "7"', 7, "wait=7"),
        ("wait=5; because=I say so", 5, "wait=5"),
        ("return=minimal, wait=10", 10, "wait=10"),
        ('said="a, wait=1", wait=10', 10, "wait=10"),
        (r'said="\", wait=1", wait=10', 10, "wait=10"),
        ("wait=3, wait=9", 3, "wait=3"),
        (",, wait=3 ,", 3, "wait=3"),
        ("respond-async", 0, "respond-async"),
        ("wait=10, respond-async", 0, "respond-async"),
        ("Respond-Async; really", 0, "respond-async"),
    ],
)
def test_a_preference_is_read_as_the_rfc_has_it(header, seconds, applied):
    """Names in any case, lists, quotes, parameters; the first of two counts; a minute at most."""
    assert preferred(header) == (seconds, applied)


@pytest.mark.parametrize(
    "header",
    ["", ",", "wait", "wait=", "wait=soon", "wait=-1", "wait=+1", "wait=1.5", "wait=1 2", "wait=\u0661",
     "wait=soon, wait=5", "waits=5", "return=minimal", 'said="wait=5"', "x" * 996 + ",wait=5"],
)  # fmt: skip
def test_what_is_not_understood_is_ignored(header):
    """A preference is no demand: one that makes no sense changes nothing and refuses nothing."""
    assert preferred(header) is None


@given(st.text(max_size=1_000))
def test_any_header_is_read(header):
    """Whatever is in it, the answer is nothing or a wait within bounds."""
    found = preferred(header)
    assert found is None or 0 <= found[0] <= LONGEST_WAIT


@pytest.mark.parametrize("part", ['"', '\\"', '"\\', ",", "=", ";", '"\\"'])
def test_no_header_keeps_the_server_busy(part):
    """The worst that fits into the bound is read in milliseconds of the processor."""
    before = time.thread_time()
    preferred(('"' + part * 1_000)[:1_000])
    assert time.thread_time() - before < 0.1
