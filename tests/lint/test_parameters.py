"""What is taken is read: a parameter that changes nothing stands here, with its reason."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from pathlib import Path
from typing import Any

from thumbturn.api.table import endpoints

MAKERS = "only what one maker's systems have: taken, so that a program written for them runs here, too"
#: By their name and path, or by their name alone, wherever it is taken.
WITHOUT_EFFECT = {
    "assa_abloy_metadata": MAKERS,
    "assa_abloy_vostio_metadata": MAKERS,
    "hid_acs_system_id": MAKERS,
    "hotek_metadata": MAKERS,
    "salto_ks_metadata": MAKERS,
    "salto_space_metadata": MAKERS,
    "visionline_metadata": MAKERS,
    "force": "there is nothing that would have to be forced",
    "max_time_rounding": "times are never rounded",
    "sync /connected_accounts/delete": "the account is gone when this is answered, in any case",
    "wait_for_device_creation /connect_webviews/create": "the devices are there when it is authorized",
    "is_managed /access_codes/update": "true changes nothing: the code is managed",
}
#: Whose names are put together from parts where they are read: degrees, days, keys of pages, lists of fields.
BUILT = (
    *(f"{name}_set_point_{unit}" for name in ("heating", "cooling") for unit in ("celsius", "fahrenheit")),
    *(f"{name}_limit_{unit}" for name in ("lower", "upper") for unit in ("celsius", "fahrenheit")),
    *(f"temperature_{unit}" for unit in ("celsius", "fahrenheit")),
    *(
        f"{day}_program_id"
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    ),
    "page_cursor",
    "is_publishable_key_auth_enabled",
    "is_suspended",
    # Read for every device's action, and for every encoder's, in one place.
    "device_id",
    "acs_encoder_id",
)
#: Of these none comes from elsewhere, so that nothing is unmanaged: whatever is asked for is not there.
NOTHING_THERE = ("/access_grants/unmanaged/", "/access_methods/unmanaged/", "/user_identities/unmanaged/")


@cache
def names_in(file: str) -> frozenset[str]:
    """What a module reads of things, or names in a text."""
    found = set()
    for node in ast.walk(ast.parse(Path(file).read_text())):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return frozenset(found)


def modules_of(endpoint: Any) -> set[str]:
    """Where an endpoint may read what it is asked: its module, those of its model, and what it lends from."""
    own = sys.modules[inspect.unwrap(endpoint.function).__module__]
    models = [model for model in endpoint.ask.__mro__ if model.__module__.startswith("thumbturn.")]
    lent = [
        each for each in vars(own).values() if getattr(each, "__module__", "").startswith("thumbturn.api.")
    ]
    things = [own, *models, *(each for each in lent if inspect.isfunction(each) or inspect.isclass(each))]
    return {inspect.getsourcefile(each) or "" for each in things}


def unread() -> set[tuple[str, str]]:
    """The parameters that nothing reads near their endpoint, and where."""
    found = set()
    for path, endpoint in endpoints().items():
        if path.startswith(NOTHING_THERE):
            continue
        read = frozenset().union(*map(names_in, modules_of(endpoint)))
        found |= {(name, path) for name in endpoint.ask.model_fields if name not in read | set(BUILT)}
    return found


def test_a_parameter_that_changes_nothing_says_why():
    """Whatever an endpoint takes and nobody reads is named above, or it would be left out unseen."""
    assert {(name, path) for name, path in unread() if name not in WITHOUT_EFFECT} == set()


def test_no_reason_is_left_behind():
    """What is named above is taken somewhere."""
    taken = {(name, path) for path, endpoint in endpoints().items() for name in endpoint.ask.model_fields}
    for entry in WITHOUT_EFFECT:
        name, _, path = entry.partition(" ")
        assert (name, path) in taken if path else name in {each for each, _ in taken}, entry
