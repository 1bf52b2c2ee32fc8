"""For how long things are kept is chosen in days, and nonsense is refused."""

from __future__ import annotations

import pytest
import typer

from thumbturn.domain.retention import DAY, Ages
from thumbturn.settings import Settings
from thumbturn.upkeep.chosen import settings_from

NAMES = ("keep_attempts_days", "keep_events_days", "keep_deliveries_days")


def test_ages_without_a_choice():
    """Half a year for attempts, a month for events, three for the tries of webhooks, a year for the rest."""
    assert Settings().ages == Ages(180 * DAY, 30 * DAY, 90 * DAY, 365 * DAY)


def test_each_age_is_chosen_by_itself():
    """0 is for ever, and parts of a day are taken."""
    some = {"keep_attempts_days": 0, "keep_events_days": 1.5}
    chosen = Settings(**some, keep_deliveries_days=7, keep_ended_days=0.25)
    assert chosen.ages == Ages(0, 3 * DAY // 2, 7 * DAY, DAY // 4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["-1", "0.5", "1e9", "inf", "nan", "soon", "36500.1"])
def test_nonsense_is_refused(name: str, value: str):
    """Less than a day, more than a hundred years, and what is no number: with the name of the setting."""
    with pytest.raises(typer.BadParameter, match=f"THUMBTURN_{name.upper()}: Input|Value error"):
        settings_from({name: value})


@pytest.mark.parametrize("value", ["inf", "nan", "-1"])
def test_nonsense_is_refused_for_what_has_ended_too(value: str):
    """An age that no moment has is no age."""
    with pytest.raises(typer.BadParameter, match="THUMBTURN_KEEP_ENDED_DAYS"):
        settings_from({"keep_ended_days": value})
