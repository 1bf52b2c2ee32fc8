"""Records what Seam's fake answers to ``fake_calls``: ``python -m tools.record_fake``, with Node and npm.

What is recorded is what our answers are compared with; the suite has the record and needs no Node.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tools.fake_calls import ask_all

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "tests" / "data" / "fake_answers.json"
PEER = ROOT / "bench" / "peer"
SERVER = PEER / "node_modules" / "@seamapi" / "fake-seam-connect" / "dist" / "server.js"
_READY_WITHIN = 30.0


@contextmanager
def running_fake() -> Iterator[str]:
    """The endpoint of the fake with its own seed, on this machine only; it ends with the block.

    Raises ``FileNotFoundError`` if Node or the fake is missing, ``TimeoutError`` if it does not come up.
    """
    if not SERVER.exists():
        raise FileNotFoundError(f"{SERVER.relative_to(ROOT)}: run `npm ci` in bench/peer")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["node", "--require", str(PEER / "loopback.cjs"), str(SERVER), "--seed"],
        env={"PATH": os.environ["PATH"], "PORT": str(port)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _wait(endpoint)
        yield endpoint
    finally:
        process.kill()
        process.wait()


def recorded(answers: Any) -> Any:
    """The answers without what is of the machine that they come from: where a trace went, and ports."""
    if isinstance(answers, dict):
        return {name: "…" if name == "stack" else recorded(each) for name, each in answers.items()}
    if isinstance(answers, list):
        return [recorded(each) for each in answers]
    if isinstance(answers, str):
        return re.sub(r"http://(?:127\.0\.0\.1|localhost):\d+", "http://fake", answers)
    return answers


def main() -> int:
    """Write the record anew."""
    with running_fake() as endpoint:
        answers = recorded(ask_all(endpoint))
    lines = (
        f"  {json.dumps(name)}: {json.dumps(answer, ensure_ascii=False)}" for name, answer in answers.items()
    )
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    sys.stdout.write(f"{len(answers)} answers are in {RECORD.relative_to(ROOT)}\n")
    return 0


def _wait(endpoint: str) -> None:
    limit = time.monotonic() + _READY_WITHIN
    while time.monotonic() < limit:
        try:
            if httpx.get(f"{endpoint}/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(f"the fake was not ready within {_READY_WITHIN:g} s")


if __name__ == "__main__":
    sys.exit(main())
