"""How much of the contract is served, and why the rest is not: ``python -m tools.coverage_of_contract``.

What is served is asked of the server's own table of endpoints, so the list of what is open cannot be
behind. Only the reasons are written here, by the beginning of a path: the longest that fits counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from thumbturn.api.table import endpoints

PATHS = Path(__file__).resolve().parents[1] / "tests" / "data" / "contract_paths.txt"

_PHONES = "mobile keys are made by a maker's cloud, in an app of his: no device here can hold one"

REASONS = {
    "/acs/systems/report_devices": "only the bridges of some makers report to it",
    "/customers/": "the pages of a customer are a product of their own, beside devices",
    "/devices/report_provider_metadata": "only the bridges of some makers report to it",
    "/instant_keys/": _PHONES,
    "/user_identities/generate_instant_key": _PHONES,
}


def contract_paths() -> list[str]:
    """Every path of the contract, in order."""
    return PATHS.read_text().split()


def reason_of(path: str) -> str | None:
    """The beginning under which it is written why this is open; ``None`` if that is written nowhere."""
    return max((each for each in REASONS if path.startswith(each)), key=len, default=None)


def report(paths: Iterable[str], served: Collection[str]) -> list[str]:
    """The lines of the report: what is open by reason, and how much is done."""
    paths = list(paths)
    open_by_reason: dict[str, list[str]] = {}
    for path in paths:
        if path not in served:
            open_by_reason.setdefault(REASONS[reason_of(path) or ""], []).append(path)
    lines = []
    for reason, open_paths in sorted(open_by_reason.items(), key=lambda each: each[1]):
        lines += [f"{reason}:", *(f"  {path}" for path in open_paths), ""]
    done = sum(path in served for path in paths)
    total = f"{done} of the {len(paths)} paths of the contract are served, {len(paths) - done} are open."
    return [*lines, total]


if __name__ == "__main__":
    print("\n".join(report(contract_paths(), endpoints())))
