"""What the benchmarks run by themselves still fits the rest: it is looked at by no other test."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.lint.source import ROOT


def test_attempts_are_begun_at_the_engine_s_own_door(tmp_path):
    """The bench's own process accepts, runs and settles what it is asked to, with an event for each."""
    command = [sys.executable, "-m", "bench.peers.ours_at_the_door", f"sqlite:///{tmp_path}/thumbturn.db"]
    run = subprocess.run([*command, "40", "7", "5"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.partition("RESULT ")[2])
    assert result["done"] == 40
    assert result["seconds"] > 0
