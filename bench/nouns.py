"""Other nouns than doors and attempts: long lists, and thermostats at full load."""

import time
from collections.abc import Iterator

from bench.options import Options
from bench.rows import Bound, Row
from bench.servers import Server, fresh
from bench.throughput import accept_round, in_turn

#: Devices in the long list, and in one page of it.
DEVICES, PAGE = 10_000, 500


def lists(options: Options) -> Iterator[Row]:
    """A long list, read page by page to its end."""
    page = Row("devices_page", f"devices/list of {DEVICES:,} devices, a page of {PAGE}", "ms")
    last = Row("devices_last_page", "… the last page beside the first", "x")
    if "ours" not in options.sides:
        return
    with fresh("ours", options, DEVICES) as server:
        expected = set(server.device_ids)
        for _ in range(options.rounds):
            taken, seen = walk(server, "/devices/list", "devices", "device_id")
            if not expected <= set(seen) or len(seen) != len(set(seen)):
                page.invalid.append(f"{len(seen)} devices listed, {len(set(seen))} different ones")
            page.add("ours", 1e3 * sum(taken) / len(taken))
            # Without the last page itself, which need not be full.
            last.add("ours", taken[-2] / taken[0])
    yield from (page, last)


def thermostats(options: Options) -> Iterator[Row]:
    """Heating at full load, beside unlocking on a server of the same kind."""
    row = Row(
        "accept_heat", "thermostats/set_hvac_mode accepted, run and settled", "1/s", Bound(0.9, "unlock")
    )
    if "ours" not in options.sides:
        return
    for number in range(options.rounds):
        for side in in_turn(["ours", "unlock"], number):
            with fresh("ours", options) as server:
                if side == "ours":
                    server.add_devices(options.devices, "thermostat")
                accept_round(
                    row, server, options.seconds, side=side, kind="heat" if side == "ours" else "unlock"
                )
    yield row


def walk(server: Server, path: str, things: str, id: str) -> tuple[list[float], list[str]]:
    """The seconds that each page of a list took, and the ids on all of them."""
    taken: list[float] = []
    seen: list[str] = []
    cursor = None
    while True:
        began = time.perf_counter()
        answer = server.call(path, {"limit": PAGE} | ({"page_cursor": cursor} if cursor else {}))
        taken.append(time.perf_counter() - began)
        seen += [each[id] for each in answer[things]]
        cursor = answer["pagination"]["next_page_cursor"]
        if cursor is None:
            return taken, seen
