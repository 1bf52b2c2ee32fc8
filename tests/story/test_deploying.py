"""What is in ``deploy/``: judged by linters where there is no engine to run it, and its entry points run."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import compose_spec
import pytest
import yaml

from tests.fixtures.server import COMMAND, READY_WITHIN
from tests.lint.source import ROOT
from thumbturn import __version__
from thumbturn.settings import Settings

DEPLOY = ROOT / "deploy"
IMAGE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
#: What a container is started with, of the last stage.
LAST = IMAGE[IMAGE.rindex("\nFROM ") :]
COMPOSE = (DEPLOY / "compose.yaml").read_text()
PROCESSES = ("thumbturn", "thumbturn-2", "thumbturn-3")
UNIT = (DEPLOY / "thumbturn.service").read_text()


def linted(*command: object) -> str:
    """What a linter has to say, which must be good."""
    done = subprocess.run(list(map(str, command)), capture_output=True, check=False, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def instruction(name: str) -> str:
    """The argument of the last such instruction of the image's last stage."""
    found: list[str] = re.findall(rf"^{name}\s+(.*)$", LAST, re.MULTILINE)
    return found[-1]


def test_the_dockerfile_is_what_a_linter_likes():
    """hadolint, which knows Docker's and the shell's traps, finds nothing in the Dockerfile."""
    linted(COMMAND.with_name("hadolint"), DEPLOY / "Dockerfile")


def test_the_linter_would_find_something(tmp_path):
    """The same linter refuses an image without a tag, and one that runs as root."""
    (tmp_path / "Dockerfile").write_text("FROM python\nUSER root\n")
    with pytest.raises(AssertionError, match="DL3006"):
        linted(COMMAND.with_name("hadolint"), tmp_path / "Dockerfile")


def test_the_image_is_made_of_files_that_are_there():
    """What the Dockerfile copies exists and is let through to the builder; its user is not root."""
    let_through = (DEPLOY / "Dockerfile.dockerignore").read_text()
    copied = [
        word for line in re.findall(r"^COPY (?!--)(.*)$", IMAGE, re.MULTILINE) for word in line.split()[:-1]
    ]
    assert len(copied) >= 5
    for each in copied:
        assert (ROOT / each).exists(), each
        assert f"!{each}\n" in let_through, each
    user, group = map(int, instruction("USER").split(":"))
    assert user > 0
    assert group > 0
    assert f"--uid {user} " in LAST


def test_the_entry_point_of_the_image_serves_and_its_health_check_tells(tmp_path):
    """Started by the image's own words and variables, a server is found healthy; a stopped one is not."""
    variables = dict(word.split("=", 1) for word in instruction("ENV").split())
    assert (variables["THUMBTURN_HOST"], variables["THUMBTURN_DATA"]) == ("0.0.0.0", "/data")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    known = {name for name in variables if name.startswith("THUMBTURN_")}
    assert {name.removeprefix("THUMBTURN_").lower() for name in known} <= Settings.model_fields.keys()
    settings = {
        "THUMBTURN_DATA": str(tmp_path / "data"),
        "THUMBTURN_PORT": str(port),
        "THUMBTURN_HOST": "0.0.0.0",
    }
    words = [*json.loads(instruction("ENTRYPOINT")), *json.loads(instruction("CMD"))]
    assert words[0] == COMMAND.name
    check = json.loads(re.findall(r"HEALTHCHECK .*?CMD (\[.*\])", LAST)[0])
    assert check[0] == "python"
    check[-1] = check[-1].replace(variables["THUMBTURN_PORT"], str(port))

    def is_healthy() -> bool:
        checked = subprocess.run([sys.executable, *check[1:]], capture_output=True, check=False, timeout=30)
        return checked.returncode == 0

    environment = {name: value for name, value in os.environ.items() if not name.startswith("THUMBTURN_")}
    server = subprocess.Popen(
        [COMMAND, *words[1:]],
        env=environment | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    try:
        limit = time.monotonic() + READY_WITHIN
        while not is_healthy():
            assert time.monotonic() < limit, "never healthy"
        assert [path.name for path in tmp_path.iterdir()] == ["data"], "it wrote beside its data folder"
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0
    assert not is_healthy()


def test_the_compose_file_is_what_the_specification_takes():
    """Every key of the compose file is one of the Compose Specification's; a wrong one would be found."""
    # What the three have in common is merged by YAML, before the specification is asked.
    merged = yaml.safe_dump(yaml.safe_load(COMPOSE))
    read = compose_spec.PyCompose.from_yaml(merged)
    assert sorted(read.service_names()) == ["database", *PROCESSES]
    with pytest.raises(ValueError, match="restrat"):
        compose_spec.PyCompose.from_yaml(merged.replace("restart:", "restrat:", 1))


@pytest.mark.parametrize("name", PROCESSES)
def test_the_compose_file_fits_the_image_and_the_settings(name):
    """Its variables are settings, its volume is the image's, its root is read-only; no secret is in it."""
    service = yaml.safe_load(COMPOSE)["services"][name]
    ours = {name for name in service["environment"] if name.startswith("THUMBTURN_")}
    assert {name.removeprefix("THUMBTURN_").lower() for name in ours} <= Settings.model_fields.keys()
    [volume] = service["volumes"]
    assert volume.partition(":")[2] == instruction("VOLUME")
    assert service["image"] == f"thumbturn:{__version__}"
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).samefile(
        DEPLOY / "Dockerfile"
    )
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    for secret in ("PGPASSWORD", "THUMBTURN_ENCRYPTION_KEY"):
        assert service["environment"][secret].startswith("${")


def test_the_processes_of_the_compose_file_share_the_database_and_nothing_else():
    """They are alike, with one database and one key, and each has a data folder and a port of its own."""
    services = [yaml.safe_load(COMPOSE)["services"][name] for name in PROCESSES]
    own = ("volumes", "ports")
    alike = [{key: value for key, value in each.items() if key not in own} for each in services]
    assert alike == alike[:1] * len(PROCESSES)
    for key in own:
        assert len({each[key][0] for each in services}) == len(PROCESSES)
    volumes = {each["volumes"][0].partition(":")[0] for each in services}
    assert volumes < yaml.safe_load(COMPOSE)["volumes"].keys()


def test_the_unit_is_one_that_systemd_takes(tmp_path):
    """systemd finds nothing wrong with the unit, and little that its process could do to the machine."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not here")
    unit = tmp_path / "thumbturn.service"
    # It looks whether the program is there.
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={COMMAND}", UNIT))
    assert linted(analyze, "verify", unit) == ""
    linted(analyze, "security", "--offline=yes", "--no-pager", "--threshold=20", unit)
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=stirct"))
    refused = subprocess.run(
        [analyze, "verify", unit], capture_output=True, check=False, text=True, timeout=60
    )
    assert "Failed to parse protect system value" in refused.stderr


def test_the_unit_never_gives_up():
    """However often a start fails, while the database is away for instance, systemd tries again."""
    unit = UNIT[UNIT.index("[Unit]") : UNIT.index("[Service]")]
    assert "\nStartLimitIntervalSec=0\n" in unit
    assert "\nRestart=always\n" in UNIT[UNIT.index("[Service]") :]


def test_the_unit_keeps_its_data_where_it_may_write():
    """The data folder is the state directory, the only place that the unit leaves open."""
    lines = dict(line.split("=", 1) for line in UNIT.splitlines() if "=" in line and not line.startswith("#"))
    assert lines["Environment"] == f"THUMBTURN_DATA=/var/lib/{lines['StateDirectory']}"
    assert Path(lines["ExecStart"].split()[0]).name == COMMAND.name
    assert (lines["NoNewPrivileges"], lines["ProtectSystem"]) == ("yes", "strict")
