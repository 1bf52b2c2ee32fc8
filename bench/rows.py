"""What a case hands back: rows of samples, each with the bound it has to keep."""

from dataclasses import dataclass, field
from statistics import median
from typing import Literal

Verdict = Literal["pass", "fail", "invalid", "-"]


class BenchError(Exception):
    """A case could not be run to its end; the message says what stood in the way."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What was promised of our value: at most so much, or at least so many times another side's."""

    limit: float
    #: The side that ours is divided by; None means that our value itself must stay at or below the limit.
    times: str | None = None

    def __str__(self) -> str:
        return f"≥ {self.limit:g} x {self.times}" if self.times else f"≤ {self.limit:g}"


@dataclass(slots=True)
class Row:
    """One line of the table."""

    name: str
    what: str
    unit: str
    bound: Bound | None = None
    #: Per side, one value a round, in the order of the rounds.
    samples: dict[str, list[float]] = field(default_factory=dict)
    #: Whatever makes the numbers unfit for any comparison: refused requests, lost attempts.
    invalid: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, side: str, value: float) -> None:
        """Append one round's value."""
        self.samples.setdefault(side, []).append(value)

    def value(self, side: str) -> float | None:
        """The median over the rounds; None if this side was not measured."""
        found = self.samples.get(side)
        return median(found) if found else None

    @property
    def beside(self) -> str:
        """The side that ours is compared with."""
        return (self.bound.times if self.bound else None) or "peer"

    @property
    def ratio(self) -> float | None:
        """Our median divided by the other side's."""
        ours, theirs = self.value("ours"), self.value(self.beside)
        return ours / theirs if ours is not None and theirs else None

    @property
    def verdict(self) -> Verdict:
        """Whether the bound was kept; `-` when there is none, or when ours was not measured."""
        if self.invalid:
            return "invalid"
        judged = self.ratio if self.bound and self.bound.times else self.value("ours")
        if self.bound is None or judged is None:
            return "-"
        kept = judged >= self.bound.limit if self.bound.times else judged <= self.bound.limit
        return "pass" if kept else "fail"


def at_least(name: str, what: str, unit: str, wanted: float) -> Row:
    """A row whose own value shall reach this."""
    row = Row(name, what, unit, Bound(1, "wanted"))
    row.add("wanted", wanted)
    return row
