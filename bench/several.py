"""Whole attempts on several equal processes that share a PostgreSQL, each asked for its share of the load."""

import json
import os
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.request import Request, urlopen

from bench import database
from bench.load import CONNECTIONS, Load, load
from bench.options import Options
from bench.postgres import Postgres
from bench.rows import BenchError, Row
from bench.servers import Server, directory, ours

#: Each is owned by one of the processes, and its devices with it.
WORKSPACES, LOCKS_EACH = 24, 8
SHARED_WITHIN = 60.0
#: The owner of each workspace.
OWNERS = "select w.id, l.owner from workspaces w join leases l on l.cell = w.cell where l.kind = 'engine'"
KEY = "THUMBTURN_ENCRYPTION_KEY"


@contextmanager
def several(options: Options, server: Postgres, count: int) -> Iterator[list[Server]]:
    """So many processes on a new database, which have shared its cells among them.

    Each speaks to all devices, as behind a proxy that knows nothing: most belong to another process.
    """
    with ExitStack() as stack:
        url = stack.enter_context(server.database())
        stack.enter_context(_one_key())
        found = [
            stack.enter_context(ours(options, stack.enter_context(directory(options)), database_url=url))
            for _ in range(count)
        ]
        first = found[0].data
        assert first is not None
        person = json.loads((first / "credentials.json").read_text())["personal_access_token"]
        wait_until_shared(found)
        # A workspace belongs to a cell of the process that was asked to make it.
        named = [
            line for number in range(WORKSPACES) for line in _workspace(found[number % count], person, number)
        ]
        for each in found:
            each.token, each.device_ids = person, named
        server.checkpoint()
        yield found


def complete_on(row: Row, servers: list[Server], shares: list[list[str]], seconds: int) -> None:
    """One round of unlocking on all of them at once, each its share; what counts is settled and on record."""
    where = servers[0].records
    assert where is not None
    _load(servers, shares, 1)
    database.wait_until_settled(where)
    before = database.census(where)
    began = time.perf_counter()
    seen = _load(servers, shares, seconds)
    database.wait_until_settled(where)
    # The rest after the last attempt has ended is waited for to be sure of that.
    took = time.perf_counter() - began - database.QUIET
    after = database.census(where)
    row.invalid += [f"ours: {each.complaint}" for each in seen if each.complaint]
    answered = sum(each.answered for each in seen)
    row.add("ours", answered / took)
    kept, good = after.total - before.total, after.succeeded - before.succeeded
    if not answered <= kept <= answered + _connections(servers) * len(servers):
        row.invalid.append(f"ours: {answered} were answered, {kept} are on record")
    if good != kept:
        row.invalid.append(f"ours: {kept - good} of {kept} attempts did not end in success")


def _connections(servers: list[Server]) -> int:
    """To each of them: together as many as one would have."""
    return max(1, CONNECTIONS // len(servers))


def spread(servers: list[Server]) -> list[list[str]]:
    """Every process is asked for all devices: callers know nothing of owners."""
    shares = []
    for number, each in enumerate(servers):
        # Each begins with another workspace, so that not all ask for the same at once.
        begin = number * LOCKS_EACH
        shares.append(each.device_ids[begin:] + each.device_ids[:begin])
    return shares


def owned(servers: list[Server]) -> list[list[str]]:
    """Every process is asked for the devices of its own cells: a proxy knows where a workspace lives."""
    where = servers[0].records
    assert where is not None
    with database.asking(where) as ask:
        # They were started one after the other.
        processes = [id for (id,) in ask("select id from processes order by started_at")]
        owners = dict(ask(OWNERS))
    shares = [[line for line in servers[0].device_ids if owners[line.split()[1]] == id] for id in processes]
    if not all(shares):
        raise BenchError(
            f"some process owns no workspace: they own {[len(share) for share in shares]} devices"
        )
    return shares


def _load(servers: list[Server], shares: list[list[str]], seconds: int) -> list[Load]:
    with ThreadPoolExecutor(len(servers)) as pool:
        running = [
            pool.submit(load, each, "unlock", ids, seconds, connections=_connections(servers))
            for each, ids in zip(servers, shares, strict=True)
        ]
        return [each.result() for each in running]


@contextmanager
def _one_key() -> Iterator[None]:
    """Processes on one database seal with one key."""
    before = os.environ.get(KEY)
    os.environ[KEY] = b64encode(os.urandom(32)).decode()
    try:
        yield
    finally:
        del os.environ[KEY]
        if before is not None:
            os.environ[KEY] = before


def wait_until_shared(servers: list[Server]) -> None:
    """Return when every process has a part of the cells, and all of them belong to one."""
    began = time.perf_counter()
    while True:
        owned = [_readiness(each) for each in servers]
        if min(own for own, _ in owned) > 0 and sum(own for own, _ in owned) == owned[0][1]:
            return
        if time.perf_counter() - began > SHARED_WITHIN:
            raise BenchError(f"after {SHARED_WITHIN:g} s the cells are not shared: {owned}")
        time.sleep(0.2)


def _readiness(server: Server) -> tuple[int, int]:
    """How many cells it owns, of how many."""
    with urlopen(f"{server.endpoint}/thumbturn/ready", timeout=10) as answer:
        told = json.load(answer)
    for part in told["readiness"].values():
        if isinstance(part, dict) and "engine_cells" in part:
            return part["engine_cells"], part["cells"]
    raise BenchError(f"readiness says nothing of cells: {told}")


def _workspace(server: Server, person: str, number: int) -> list[str]:
    """A new sandbox with some locks; each with the workspace behind it."""
    made = call(server, person, None, "/workspaces/create", {"name": f"Home {number}", "is_sandbox": True})
    workspace: str = made["workspace"]["workspace_id"]
    ask = {"count": LOCKS_EACH, "kind": "lock", "travel_milliseconds": 0}
    added = call(server, person, workspace, "/thumbturn/sandbox/add_devices", ask)["device_ids"]
    return [f"{id} {workspace}" for id in added]


def call(server: Server, person: str, workspace: str | None, path: str, body: dict) -> dict:
    """What a process answers to a person, in a workspace."""
    headers = {"authorization": f"Bearer {person}", "content-type": "application/json"}
    if workspace is not None:
        headers["seam-workspace"] = workspace
    with urlopen(Request(server.endpoint + path, json.dumps(body).encode(), headers), timeout=60) as answer:
        found: dict = json.load(answer)
    return found
