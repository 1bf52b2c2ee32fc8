"""How much is measured, of whom, and where the files go."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIDES = ("ours", "peer", "bare")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything a case may ask about the run it is part of."""

    #: The server's command, without `serve`.
    command: str
    #: Data directories and lists of ids are made in here, on a real disk, and removed afterwards.
    work: Path
    sides: tuple[str, ...] = SIDES
    rounds: int = 5
    #: Length of one round of load.
    seconds: int = 3
    devices: int = 200
    #: Attempts that both sides hold in the case `held`.
    held: int = 30_000
    #: Finished attempts in the file in the case `million`.
    finished: int = 1_000_000
    #: Finished attempts, and the devices they are of, in the databases of the case `past`; these are filled
    #: once a day, and found again in a folder of their own. And old attempts in those of the case `purge`.
    past: int = 10_000_000
    past_devices: int = 5_000
    purged: int = 200_000
    kept: Path = ROOT / "bench" / "results" / "past"
    #: Attempts and devices in the case `memory`.
    memory_attempts: int = 100_000
    memory_devices: int = 10_000
    #: Attempts that are open at once in the case `open`.
    standing: int = 100_000
    #: Low load: requests a second, and seconds per round.
    pace: int = 50
    pace_seconds: int = 20

    #: Of a lab: unlocks of each way in a round, and commands with faults by chance.
    lab_unlocks: int = 12
    lab_commands: int = 1_000

    def among(self, *wanted: str) -> list[str]:
        """Those of the wanted sides that this run measures."""
        return [side for side in wanted if side in self.sides]


def quick(command: str, work: Path, sides: tuple[str, ...]) -> Options:
    """A run of two minutes that proves that everything works; its numbers are no results."""
    return Options(
        command=command,
        work=work,
        sides=sides,
        rounds=2,
        seconds=1,
        held=3_000,
        finished=50_000,
        past=50_000,
        past_devices=500,
        purged=20_000,
        memory_attempts=10_000,
        memory_devices=1_000,
        standing=15_000,
        lab_unlocks=4,
        lab_commands=20,
        pace_seconds=3,
    )
