"""Moments as the wire writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from thumbturn.domain.clock import SECOND, from_datetime, to_wire, to_wire_exactly

FIRST, LAST = from_datetime(datetime.min.replace(tzinfo=UTC)), from_datetime(datetime.max.replace(tzinfo=UTC))
DAY = 24 * 3_600 * SECOND


@pytest.mark.parametrize("write", [to_wire, to_wire_exactly])
def test_a_year_has_four_digits(write):
    """The first and the last moment that there are, are written and can be read again."""
    assert write(FIRST).startswith("0001-01-01T00:00:00.000")
    assert write(LAST).startswith("9999-12-31T23:59:59.999")


@pytest.mark.parametrize("write", [to_wire, to_wire_exactly])
def test_what_is_on_record_can_be_written(write):
    """A moment beyond all years is written as the first or the last: one record must not end all lists."""
    for moment, year in ((FIRST - DAY, "0001"), (LAST + DAY, "9999"), (-(2**63), "0001"), (2**63, "9999")):
        assert datetime.fromisoformat(write(moment)).strftime("%Y").zfill(4) == year
