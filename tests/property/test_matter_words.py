"""Whatever a Matter server says: it is understood or it is nothing, and no link ends over it."""

from __future__ import annotations

import asyncio
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.matter_home import FakeHome
from thumbturn.drivers.matter.codec import nodes_of, read
from thumbturn.drivers.matter.driver import found_at

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
PATHS = st.sampled_from(
    [f"1/257/{number}" for number in (0, 3, 18, 23, 24, 35, 37, 51, 65532)]
    + [f"1/513/{number}" for number in (0, 3, 4, 17, 18, 21, 22, 25, 27, 28, 41, 65532)]
    + ["1/514/0", "1/514/1", "1/514/65532", "1/47/12", "0/40/5", "0/40/3", "0/62/5", "9/57/5", "9/257/0"]
)
NUMBERS = st.integers(-1, 7) | st.sampled_from([900_000, 1 << 70])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "lockOperationType": NUMBERS | ANYTHING,
        "operationSource": NUMBERS | ANYTHING,
        "operationError": NUMBERS | ANYTHING,
        "alarmCode": NUMBERS | ANYTHING,
        "credentials": ANYTHING
        | st.lists(st.fixed_dictionaries({"credentialType": NUMBERS, "credentialIndex": ANYTHING})),
        "userIndex": NUMBERS | ANYTHING,
        "lockDataType": NUMBERS | ANYTHING,
        "dataIndex": NUMBERS | ANYTHING,
    },
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "node_id": NUMBERS | ANYTHING,
        "endpoint_id": st.just(1) | ANYTHING,
        "cluster_id": st.just(257) | ANYTHING,
        "event_id": st.integers(0, 5) | ANYTHING,
        "event_number": st.integers(0, 99) | ANYTHING,
        "data": FIELDS | ANYTHING,
    },
)
NODES = st.fixed_dictionaries(
    {"node_id": st.integers(1, 9), "available": st.booleans()},
    optional={
        "attributes": st.dictionaries(PATHS | st.text(max_size=12), ANYTHING | NUMBERS, max_size=16)
        | ANYTHING
    },
)
MESSAGES = st.one_of(
    st.fixed_dictionaries(
        {"event": st.just("attribute_updated"), "data": st.tuples(NUMBERS, PATHS, ANYTHING | NUMBERS)}
    ),
    st.fixed_dictionaries({"event": st.just("node_event"), "data": EVENTS}),
    st.fixed_dictionaries(
        {"event": st.sampled_from(["node_added", "node_updated"]), "data": NODES | ANYTHING}
    ),
    st.fixed_dictionaries({"event": st.just("node_removed"), "data": NUMBERS | ANYTHING}),
    st.fixed_dictionaries({"event": st.just("endpoint_removed"), "data": EVENTS}),
    st.fixed_dictionaries(
        {"message_id": st.sampled_from(["1", "2", "3", "99"]) | ANYTHING},
        optional={"error_code": ANYTHING, "details": ANYTHING, "result": ANYTHING},
    ),
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("compressed_fabric_id", "schema_version", "min_supported_schema_version"), ANYTHING
        ),
    ),
    ANYTHING,
).map(json.dumps) | st.text(max_size=60)


@given(text=MESSAGES)
@settings(max_examples=300, deadline=None)
def test_no_text_is_too_odd_to_be_read(text: str):
    """Whatever a hub says is a message or nothing."""
    read(text)


@given(result=ANYTHING | st.lists(NODES | ANYTHING, max_size=3))
@settings(max_examples=200, deadline=None)
def test_no_node_is_too_odd_to_be_described(result):
    """Whatever a hub describes is devices or none, and what they can be set to is numbers."""
    for node in nodes_of(result):
        for found in found_at(node):
            assert found.capabilities
            json.dumps(found.details, allow_nan=False)


@given(said=st.lists(MESSAGES, max_size=30))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nonsense_ends_no_link(said: list[str]):
    """A hub that talks nonsense, twice over and in any order, keeps its link, and its locks obey."""

    async def live() -> None:
        home = FakeHome()
        await home.open()
        for text in (*said, *reversed(said)):
            home.hub.say(text)
        await home.pass_time(2)
        assert home.driver.links() == {home.account.id: True}
        # It may have said that the lock is gone: what it says when it comes again is the truth.
        home.hub.stop()
        await home.pass_time(1)
        home.hub.start()
        await home.pass_time(60)
        assert (await home.run("LOCK_DOOR")).failure is None
        await home.close()

    asyncio.run(live())
