"""The arithmetic that turns measured costs into machines and money."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.cost_of_scale import Costs, Estimates, Memory, plan, read_costs, read_memory, told

COSTS = Costs(server=500, database=100, syncs=0.1, written=4_000, kept=2_000)
MEMORY = Memory(process=100e6, device=5_000, open_attempt=2_500)
GUESS = Estimates(
    use=0.5,
    database_cores=10,
    log_bytes=100e6,
    log_syncs=1_000,
    database_bytes=1e12,
    days=10,
    commands_a_day=20,
    open_seconds=2,
    core=10,
    memory_gb=2,
    disk_gb=0.1,
)


def row(name, value, invalid=()):
    return {"name": name, "medians": {"ours": value}, "invalid": list(invalid)}


def test_each_ceiling_is_what_one_of_a_kind_can_do():
    """With the reserve that is asked for, each resource carries the rate that is computed by hand."""
    assert plan(1, COSTS, MEMORY, GUESS).ceilings == pytest.approx(
        {
            "one server process": 1_000,  # half of 1e6 µs, 500 each
            "the database's processors": 50_000,  # ten cores
            "the database's log, bytes": 12_500,
            "the database's log, waits": 5_000,
            "what one database shall hold": 1e12 / (2_000 * 86_400 * 10),
        }
    )


def test_machines_are_counted_up_to_whole_ones():
    """A rate that is a little more than two processes can do takes three."""
    assert plan(2_000, COSTS, MEMORY, replace(GUESS, database_bytes=1e18)).processes == 2
    assert plan(2_001, COSTS, MEMORY, replace(GUESS, database_bytes=1e18)).processes == 3


def test_a_cell_is_added_for_whatever_is_full_first():
    """The number of databases follows the scarcest thing of one, and each has a process of its own."""
    waits = replace(GUESS, database_bytes=1e18)
    assert plan(12_000, COSTS, MEMORY, waits).databases == 3  # 5,000 a second each
    disk = plan(2_000, COSTS, MEMORY, GUESS)  # 578.7 a second each
    assert (disk.databases, disk.processes) == (4, 4)


def test_disk_memory_and_money_are_sums():
    """What is kept, what is held and what is paid are the sums that one would write down."""
    found = plan(100, COSTS, MEMORY, GUESS)
    assert found.disk_bytes == pytest.approx(100 * 2_000 * 86_400 * 10)
    assert found.devices == pytest.approx(432_000)
    held = 100e6 + 432_000 * 5_000 + 200 * 2_500
    assert found.memory_bytes == pytest.approx(held)
    assert found.money == pytest.approx(2 * 10 + held / 1e9 * 2 + found.disk_bytes / 1e9 * 0.1)


def test_twice_the_rate_costs_no_more_than_twice():
    """Rounding up never makes a larger installation dearer for each attempt."""
    for rate in (1_000, 10_000, 64_000):
        once, twice = (plan(rate * n, COSTS, MEMORY, GUESS).money for n in (1, 2))
        assert once < twice <= 2 * once + 1e-6


def test_the_next_bottleneck_is_the_nearest_ceiling_above():
    """It is what is full first when there are more; beyond the last there are only more cells."""
    assert plan(10, COSTS, MEMORY, GUESS).next_bottleneck == (
        "what one database shall hold",
        pytest.approx(578.7, abs=0.1),
    )
    assert plan(600, COSTS, MEMORY, GUESS).next_bottleneck == ("one server process", 1_000)
    assert plan(60_000, COSTS, MEMORY, GUESS).next_bottleneck is None


def test_costs_are_read_at_the_load_that_they_are_for():
    """A low rate has the costs of attempts that share nothing, a high one those of full load."""
    names = ("loop", "threads", "database", "syncs", "written", "kept")
    rows = [row(f"cost_postgres_low_{name}", 10.0) for name in names]
    rows += [row(f"cost_postgres_full_{name}", 3.0) for name in names]
    assert read_costs({"rows": rows}, 50) == Costs(20, 10, 10, 10, 10)
    assert read_costs({"rows": rows}, 51) == Costs(6, 3, 3, 3, 3)


def test_an_invalid_number_is_no_input():
    """What the benchmark itself does not believe is not computed with, and neither is what is missing."""
    rows = [row("open_memory_start", 90.0), row("open_memory_devices", 140.0)]
    run = {"rows": [*rows, row("open_memory", 390.0, ["a reason"])]}
    run["plan"] = {"memory_devices": 10_000, "standing": 100_000}
    with pytest.raises(KeyError, match="open_memory"):
        read_memory(run)
    run["rows"][-1] = row("open_memory", 390.0)
    assert read_memory(run) == Memory(90e6, 5_000, 2_500)


def test_the_answer_names_every_estimate():
    """Nobody takes an estimate for a measurement: each stands before the table, with its value."""
    machine = {"measured_at": "2026-01-02T00:00:00", "cores": 2, "processor": "X", "fsync_ms": 0.3}
    text = told([plan(10, COSTS, MEMORY, GUESS)], {"machine": machine}, GUESS)
    assert "Measured: 2026-01-02, 2 cores of X, fsync 0.3 ms. Estimated: use 0.5, database_cores 10" in text
    assert "| next bottleneck | what one database shall hold, at 579/s |" in text
