"""The case of idempotency keys: what each costs, and how long a crowd with the same key takes."""

import asyncio
import json
from collections.abc import Iterator
from time import perf_counter

from bench.options import Options
from bench.rows import Bound, Row
from bench.servers import Server, fresh
from bench.throughput import accept_round, in_turn

CROWD = 1_000


def asked_twice(options: Options) -> Iterator[Row]:
    """Unlock with a key in each request, beside the same without; then ask all at once with one key."""
    accept = Row("accept_keys", "unlock_door, each with its Idempotency-Key", "1/s", Bound(0.85, "plain"))
    crowd = Row("one_key", f"{CROWD:,} POSTs of one key at once, until all are answered", "s")
    if "ours" not in options.sides:
        return
    for number in range(options.rounds):
        for side in in_turn(["ours", "plain"], number):
            with fresh("ours", options) as server:
                kind = "once" if side == "ours" else "unlock"
                accept_round(accept, server, options.seconds, side=side, kind=kind)
                if side == "ours":
                    asyncio.run(_ask_at_once(crowd, server))
    yield from (accept, crowd)


async def _ask_at_once(row: Row, server: Server) -> None:
    """One round: all connections are there before the first request is sent."""
    body = json.dumps({"device_id": server.device_ids[0]})
    request = (
        f"POST /locks/unlock_door HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {server.token}\r\n"
        "content-type: application/json\r\nidempotency-key: crowd\r\nconnection: close\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()
    connections = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(CROWD)]
    began = perf_counter()
    for _, writer in connections:
        writer.write(request)
    answers = [await reader.read() for reader, _ in connections]
    row.add("ours", perf_counter() - began)
    for _, writer in connections:
        writer.close()
    bodies = {answer.partition(b"\r\n\r\n")[2] for answer in answers}
    good = sum(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    first = sum(b"idempotent-replayed: true" not in answer for answer in answers)
    if (good, len(bodies), first) != (CROWD, 1, 1):
        row.invalid.append(f"{good} good answers, {len(bodies)} different ones, {first} not replayed")
