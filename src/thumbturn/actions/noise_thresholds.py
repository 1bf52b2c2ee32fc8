"""What making, changing and deleting a noise threshold have in common.

The sensor is the one that holds thresholds, so each attempt ends with what the sensor says that it holds.
After a crash it is asked first: only what it does not have yet, or still has, is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from thumbturn.actions.definition import Ask, DeviceAsk, Maybe, Outcome, Result, Run
from thumbturn.actions.sending import Command, Read, send
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.errors import Refusal
from thumbturn.domain.failures import CommandRefused, OutcomeUnknown
from thumbturn.domain.noise import THRESHOLDS, in_zone, time_of_day

#: The type of the action that puts a new one.
CREATION = "CREATE_NOISE_THRESHOLD"
#: The usual name of one that was given none.
UNNAMED = "Noise threshold"
#: dB. Nothing in a house is louder.
LOUDEST = 200


class NoiseRiskScoreNotSupported(Refusal, type="noise_risk_score_not_supported", status=400):
    """This sensor hears decibels and knows no noise risk score: give noise_threshold_decibels"""


def _daily(text: str) -> str:
    time_of_day(text)
    return text


DailyTime = Annotated[str, Field(max_length=80), AfterValidator(_daily)]
Name = Annotated[str, Field(min_length=1, max_length=255)]
Decibels = Annotated[float, Field(ge=0, le=LOUDEST)]
RiskScore = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Loudness(Ask):
    """How loud is too loud."""

    noise_threshold_decibels: Maybe[Decibels] = None
    """In dB."""
    noise_threshold_nrs: Maybe[RiskScore] = None
    """As a noise risk score, for sensors that know it, in the place of dB."""


class ThresholdPut(DeviceAsk):
    """What of a threshold a sensor shall have. What is not given stays as it holds it."""

    noise_threshold_id: str
    name: str | None = None
    starts_daily_at: str | None = None
    ends_daily_at: str | None = None
    noise_threshold_decibels: float | None = None
    noise_threshold_nrs: float | None = None

    def given(self) -> dict[str, Any]:
        """What is given of the threshold, as a sensor holds it."""
        names = ("name", "starts_daily_at", "ends_daily_at", "noise_threshold_decibels")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class NoiseThreshold(Result):
    """How loud it may be at a sensor, and between which times of the day."""

    noise_threshold_id: str
    device_id: str
    name: str
    starts_daily_at: str
    ends_daily_at: str
    noise_threshold_decibels: float


class ThresholdPutResult(Result):
    """What putting a threshold answers."""

    noise_threshold: NoiseThreshold
    """The threshold, as the sensor holds it."""


def threshold_json(device_id: str, threshold_id: str, threshold: Mapping[str, Any]) -> dict[str, Any]:
    """A threshold as the wire has it."""
    return {
        "noise_threshold_id": threshold_id,
        "device_id": device_id,
        **{name: threshold[name] for name in ("name", "starts_daily_at", "ends_daily_at")},
        "noise_threshold_decibels": threshold["noise_threshold_decibels"],
    }


def fitting(ask: ThresholdPut, device: Device) -> ThresholdPut:
    """The ask with its times in the sensor's zone, where they name none.

    Raises ``NoiseRiskScoreNotSupported``.
    """
    if ask.noise_threshold_nrs is not None:
        raise NoiseRiskScoreNotSupported(data={"device_id": device.id})
    zone = device.details.get("time_zone", "UTC")
    times = {
        name: in_zone(text, zone)
        for name in ("starts_daily_at", "ends_daily_at")
        if (text := getattr(ask, name)) is not None
    }
    return ask.model_copy(update=times)


async def put(run: Run, command: Command, read: Read, id: str, wanted: Mapping[str, Any] | None) -> Outcome:
    """Send the command, and end with the sensor's word that it holds what is wanted, or with ``None`` that it
    holds nothing under this id.

    Raises ``CommandRefused`` if it holds something else, and what ``send`` raises.
    """
    reply, report = await send(run, command, read, lambda seen: _has(seen, id, wanted))
    if report is not None and not _has(report, id, wanted):
        raise CommandRefused.because("What it holds is different from what was asked for.")
    return _outcome(run, id, wanted, reply if report is None else report.evidence)


async def look(run: Run, read: Read, id: str, wanted: Mapping[str, Any] | None) -> Outcome | None:
    """After a crash: the outcome if the sensor has it as wanted already, ``None`` if it does not.

    Raises ``OutcomeUnknown`` if it does not answer.
    """
    seen = await read()
    if seen is None:
        raise OutcomeUnknown
    run.observed(seen)
    return _outcome(run, id, wanted, seen.evidence) if _has(seen, id, wanted) else None


def _has(seen: Observation, id: str, wanted: Mapping[str, Any] | None) -> bool:
    return THRESHOLDS in seen.changes and seen.changes[THRESHOLDS].get(id) == wanted


def _outcome(run: Run, id: str, wanted: Mapping[str, Any] | None, evidence: Any) -> Outcome:
    result = {} if wanted is None else {"noise_threshold": threshold_json(run.device.id, id, wanted)}
    return Outcome(result, evidence)
