"""The case of clients who wait: what a thousand of them cost those who do not."""

import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

from bench.options import Options
from bench.rows import Bound, Row
from bench.servers import Server, fresh
from bench.throughput import accept_round, in_turn

CLIENTS = 1_000
#: Longer than any round; the server takes no more than a minute.
WAIT_SECONDS = 60
#: How many commands a call of the batch endpoint takes.
A_BATCH = 500


def waiting(options: Options) -> Iterator[Row]:
    """Unlock while others wait with ``Prefer: wait`` for attempts that do not end; beside it, without."""
    accept = Row("accept_waiting", f"unlock_door while {CLIENTS:,} clients wait", "1/s", Bound(0.85, "plain"))
    if "ours" not in options.sides:
        return
    for number in range(options.rounds):
        for side in in_turn(["ours", "plain"], number):
            with fresh("ours", options) as server:
                if side == "plain":
                    accept_round(accept, server, options.seconds, side=side)
                    continue
                with _clients(server, accept):
                    accept_round(accept, server, options.seconds, standing=CLIENTS)
    yield accept


@contextmanager
def _clients(server: Server, row: Row) -> Iterator[None]:
    """A thousand connections, each waiting for another attempt; the row tells if one was answered."""
    with ExitStack() as stack:
        sockets = []
        for attempt_id in _attempts_of_tomorrow(server):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            client.sendall(
                (
                    f"GET /action_attempts/get?action_attempt_id={attempt_id} HTTP/1.1\r\nhost: bench\r\n"
                    f"authorization: Bearer {server.token}\r\nprefer: wait={WAIT_SECONDS}\r\n\r\n"
                ).encode()
            )
            sockets.append(client)
        # An answer to this comes after all of those have been taken in.
        server.call("/workspaces/get", {})
        yield
        poll = select.poll()
        for client in sockets:
            poll.register(client, select.POLLIN)
        if answered := len(poll.poll(0)):
            row.invalid.append(f"{answered} of {CLIENTS} clients did not wait to the end of the round")


def _attempts_of_tomorrow(server: Server) -> list[str]:
    """The ids of a thousand attempts that stay open while anything is measured."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    ids: list[str] = []
    while len(ids) < CLIENTS:
        commands = [
            {
                "path": "/locks/lock_door",
                "parameters": {
                    "device_id": server.device_ids[n % len(server.device_ids)],
                    "not_before": tomorrow,
                },
            }
            for n in range(A_BATCH)
        ]
        batch = server.call("/thumbturn/attempts/batch", {"commands": commands})["batch"]
        ids += [each["action_attempt_id"] for each in batch["action_attempts"]]
    return ids
