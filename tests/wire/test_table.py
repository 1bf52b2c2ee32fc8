"""How endpoints come into being: by their signatures, their places, and the actions."""

from __future__ import annotations

from typing import Any

import pytest

from thumbturn.actions import load, ways
from thumbturn.actions.definition import way
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import READ, describe, endpoint
from thumbturn.api.openapi import openapi
from thumbturn.api.parameters import Parameters
from thumbturn.api.table import endpoints, of_way, tabulate
from thumbturn.engine.ports import Store


class Ask(Parameters):
    thing: str


async def answers(ask: Ask, caller: Caller, store: Store) -> Any:
    """Does a thing.

    And more of it.
    """


async def open_to_all() -> Any:
    """Does a thing for anybody."""


async def needs_the_moon(caller: Caller, moon: bytes) -> Any:
    """Needs what nobody has."""


def test_a_signature_says_it_all():
    """Parameters, access and needs of an endpoint follow from its function."""
    made = describe(answers, "/things/do", {}, READ, is_public=False)
    assert (made.ask, made.access, made.summary) == (Ask, Caller, "Does a thing.")
    assert made.name_of(Caller) == "caller"
    assert made.furnish({Store: "the store"}).keywords == {"store": "the store"}


def test_no_endpoint_is_public_by_oversight():
    """An endpoint without a caller must say that it is public, and a public one has no caller."""
    for function, is_public in ((open_to_all, False), (answers, True)):
        with pytest.raises(TypeError, match="asks for its Caller, or is declared public"):
            describe(function, "/x", {}, READ, is_public=is_public)
    assert endpoint(is_public=True)(open_to_all).access is None
    assert [path for path, each in endpoints().items() if each.access is None] == [
        "/health",
        "/thumbturn/ready",
    ]


def test_a_need_that_nobody_meets_fails_at_start():
    """What an endpoint needs and nobody provides is an error before the first request."""
    made = describe(needs_the_moon, "/x", {}, READ, is_public=False)
    with pytest.raises(TypeError, match="needs moon"):
        made.furnish({Store: None})


def test_a_path_is_taken_once():
    """Two endpoints at one path are refused."""
    made = describe(answers, "/things/do", {}, READ, is_public=False)
    with pytest.raises(TypeError, match="/things/do is declared twice"):
        tabulate([made, made])


def test_two_shapes_of_one_name_are_refused():
    """The document has one place for each name, so a second shape of that name is an error."""
    first, second = type("Shape", (Ask,), {}), type("Shape", (Ask,), {"__annotations__": {"other": int}})
    with pytest.raises(TypeError, match="two shapes are called Shape"):
        openapi({"/x": describe(answers, "/x", {"a": list[first], "b": list[second]}, READ, is_public=False)})


@pytest.mark.parametrize("way", ways().values(), ids=ways())
def test_every_way_to_an_action_has_its_endpoint(way):
    """Declaring it is all it takes to have a route: at its place, with its parameters and its words."""
    made = endpoints()[way.path]
    assert (made.summary, made.methods) == (way.summary, way.methods)
    more = {"sync", "deadline_seconds", "not_before"}
    assert made.ask.model_fields.keys() - more == way.ask.model_fields.keys()
    assert made.ask.model_fields.keys() >= more - {"sync"}
    assert ("sync" in made.ask.model_fields) is way.takes_sync
    assert of_way(way).path == way.path


def test_every_action_can_be_asked_for():
    """The endpoint that an action names is one of its ways; an endpoint of its own begins any other."""
    named = {type: action.at for type, action in load().items() if not action.has_own_endpoint}
    assert {type: ways()[at].type for type, at in named.items()} == {each: each for each in named}
    assert {
        action.at for type, action in load().items() if type not in named
    } <= endpoints().keys() - ways().keys()


def test_a_way_leads_to_an_action_and_stands_alone():
    """A way to no action, and a second one at a path that is taken, are refused."""
    for type, at in (("MAKE_TOAST", "/kitchen/make_toast"), ("LOCK_DOOR", "/locks/unlock_door")):
        with pytest.raises(TypeError, match="is declared already, or there is no"):
            way(type, at=at)(lambda ask: ask)


def test_module_and_name_are_the_path():
    """An endpoint's place in the folder of routes is its path."""
    for path, each in endpoints().items():
        module = each.function.__module__
        if module.startswith("thumbturn.api.routes.") and path != "/health":
            inside = module.removeprefix("thumbturn.api.routes.").replace(".", "/")
            assert path == f"/{inside}/{each.function.__name__.rstrip('_')}"


def test_every_parameter_is_described():
    """Each parameter that is this server's own word has its line in the document."""
    for path, each in endpoints().items():
        if path.startswith("/thumbturn/"):
            described = each.ask.model_json_schema().get("properties", {})
            lacking = [name for name, field in described.items() if not field.get("description")]
            assert lacking == [], path
