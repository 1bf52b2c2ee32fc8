"""Our OpenAPI document against the facts of the contract: whatever differs is meant to, and says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.fixtures.openapi_differences import INTENDED
from thumbturn.actions.access_methods import AccessMethod
from thumbturn.actions.acs_credentials import AcsCredential
from thumbturn.actions.noise_thresholds import NoiseThreshold
from thumbturn.api.openapi import openapi
from thumbturn.api.table import endpoints
from thumbturn.api.wire.access import (
    AcsAccessGroup,
    AcsEncoder,
    AcsEntrance,
    AcsSystem,
    AcsUser,
    UnmanagedUserIdentity,
    UserIdentity,
)
from thumbturn.api.wire.access_code import AccessCode, UnmanagedAccessCode
from thumbturn.api.wire.access_grant import AccessGrant
from thumbturn.api.wire.attempt import ActionAttempt
from thumbturn.api.wire.client_session import ClientSession
from thumbturn.api.wire.connect_webview import ConnectWebview
from thumbturn.api.wire.connected_account import ConnectedAccount
from thumbturn.api.wire.device import Appearance, Battery, Device, DeviceProperties, Model
from thumbturn.api.wire.event import Event
from thumbturn.api.wire.pagination import Pagination
from thumbturn.api.wire.phone import Phone
from thumbturn.api.wire.provider import DeviceProvider
from thumbturn.api.wire.space import Space
from thumbturn.api.wire.thermostat import (
    ClimatePreset,
    ClimateSetting,
    TemperatureThreshold,
    ThermostatDailyProgram,
    ThermostatSchedule,
    ThermostatWeeklyProgram,
)
from thumbturn.api.wire.unmanaged_device import UnmanagedDevice, UnmanagedProperties
from thumbturn.api.wire.webhook import Webhook
from thumbturn.api.wire.workspace import Workspace

FACTS = json.loads((Path(__file__).parents[1] / "data" / "contract_facts.json").read_text())
DOCUMENT = openapi(endpoints())
COMPONENTS = DOCUMENT["components"]["schemas"]

#: Holds for every parameter, so it is taken out of the facts before they are compared.
IDS_ARE_OPAQUE = " uuid"


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference."""
    while "$ref" in schema:
        schema = COMPONENTS[schema["$ref"].rpartition("/")[2]]
    return schema


def fact(schema: dict[str, Any]) -> str:
    """A schema in the words of the facts."""
    schema = resolved(schema)
    if "const" in schema:
        text = f"one of {schema['const']}"
    elif "enum" in schema:
        text = "one of " + " ".join(sorted(schema["enum"]))
    elif "const" in schema:
        text = f"one of {schema['const']}"
    elif "anyOf" in schema:
        members = [fact(each) for each in schema["anyOf"]]
        text = " or ".join([*sorted(set(members) - {"null"}), *(["null"] if "null" in members else [])])
    elif schema["type"] == "array":
        text = "list of " + fact(schema["items"])
    elif schema["type"] == "object" and "additionalProperties" in schema:
        text = "record of " + fact(schema["additionalProperties"])
    elif schema["type"] == "object":
        needed = schema.get("required", ())
        members = [
            f"{name}{'!' if name in needed else ''}: {fact(each)}"
            for name, each in sorted(schema["properties"].items())
        ]
        text = f"object {{{', '.join(members)}}}"
    else:
        text = schema["type"] + (f" {schema['format']}" if "format" in schema else "")
    for key, word in (
        ("minimum", ">="),
        ("exclusiveMinimum", ">"),
        ("maximum", "<="),
        ("minLength", "length>="),
        ("maxLength", "length<="),
        ("minItems", "items>="),
        ("maxItems", "items<="),
    ):
        if key in schema:
            text += f" {word}{schema[key]}"
    return text + (f" default {json.dumps(schema['default'])}" if "default" in schema else "")


def parameters(path: str) -> dict[str, str]:
    """The parameters of an endpoint, as its POST takes them."""
    body = DOCUMENT["paths"][path]["post"].get("requestBody")
    if body is None:
        return {}
    schema = body["content"]["application/json"]["schema"]
    needed = schema.get("required", ())
    return {
        f"{name}{'!' if name in needed else ''}": fact(each) for name, each in schema["properties"].items()
    }


def differences(path: str) -> dict[str, tuple[Any, Any]]:
    """What differs at an endpoint: ours and the contract's."""
    facts, methods = FACTS["endpoints"][path], DOCUMENT["paths"][path]
    operation = methods["post"]
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    ours = {
        f"{path} methods": sorted(method.upper() for method in methods),
        f"{path} answers": sorted(set(answer["properties"]) - {"ok"}),
        f"{path} auth": sorted(kind_of(each) for each in operation["security"]),
    } | {f"{path} {name}": text for name, text in parameters(path).items()}
    theirs = {
        f"{path} methods": sorted(facts["methods"]),
        f"{path} answers": facts["answers"],
        f"{path} auth": facts["auth"],
    } | {f"{path} {name}": text.replace(IDS_ARE_OPAQUE, "") for name, text in facts["parameters"].items()}
    return {
        key: (ours.get(key), theirs.get(key))
        for key in ours.keys() | theirs.keys()
        if ours.get(key) != theirs.get(key)
    }


def kind_of(security: dict[str, Any]) -> str:
    for scheme in ("api_key", "client_session", "publishable_key"):
        if scheme in security:
            return scheme
    return "pat_with_workspace" if "seam_workspace" in security else "pat_without_workspace"


@pytest.mark.parametrize("path", sorted(FACTS["endpoints"]))
def test_endpoint_is_as_the_contract_has_it(path):
    """Methods, parameters, answers and authentication are the contract's, but for what is meant to differ."""
    found = differences(path)
    assert {key: both for key, both in found.items() if key not in INTENDED} == {}
    assert {key for key in INTENDED if key.startswith(f"{path} ")} <= set(found), "it differs no longer"


def test_our_own_endpoints_stand_apart():
    """What the contract does not have is under /thumbturn, except for the health check."""
    own = {path for path in DOCUMENT["paths"] if not path.startswith("/thumbturn/")}
    assert own == set(FACTS["endpoints"]) | {"/health"}


SHAPES: dict[str, Any] = {
    "access_grant": AccessGrant,
    "access_method": AccessMethod,
    "action_attempt": ActionAttempt,
    "client_session": ClientSession,
    "connect_webview": ConnectWebview,
    "connected_account": ConnectedAccount,
    "device": Device,
    "device.properties": DeviceProperties,
    "device.properties.appearance": Appearance,
    "device.properties.battery": Battery,
    "device.properties.active_thermostat_schedule": ThermostatSchedule,
    "device.properties.available_climate_presets": ClimatePreset,
    "device.properties.current_climate_setting": ClimateSetting,
    "device.properties.temperature_threshold": TemperatureThreshold,
    "device.properties.thermostat_weekly_program": ThermostatWeeklyProgram,
    "thermostat_daily_program": ThermostatDailyProgram,
    "thermostat_schedule": ThermostatSchedule,
    "device.properties.model": Model,
    "device_provider": DeviceProvider,
    "acs_access_group": AcsAccessGroup,
    "acs_credential": AcsCredential,
    "acs_encoder": AcsEncoder,
    "acs_entrance": AcsEntrance,
    "acs_system": AcsSystem,
    "acs_user": AcsUser,
    "phone": Phone,
    "user_identity": UserIdentity,
    "noise_threshold": NoiseThreshold,
    "access_code": AccessCode,
    "unmanaged_access_code": UnmanagedAccessCode,
    "pagination": Pagination,
    "space": Space,
    "unmanaged_device": UnmanagedDevice,
    "unmanaged_user_identity": UnmanagedUserIdentity,
    "unmanaged_device.properties": UnmanagedProperties,
    "webhook": Webhook,
    "workspace": Workspace,
    **{name: Event for name in FACTS["resources"] if name.startswith("event ")},
}


@pytest.mark.parametrize("name", sorted(FACTS["resources"]))
def test_resource_is_as_the_contract_has_it(name):
    """A resource always has what the contract requires, and no key that the contract does not know."""
    schema = TypeAdapter(SHAPES[name]).json_schema()
    facts = FACTS["resources"][name]
    if SHAPES[name] is not Event:
        assert set(facts["required"]) <= set(schema.get("required", ()))
        assert set(schema["properties"]) <= set(facts["required"]) | set(facts["optional"])
    # Events of all types share a shape: test_golden and the engine's tests hold each type to its keys.
    assert set(facts["required"]) <= set(schema["properties"])


@pytest.mark.parametrize(
    "path", [path for path, methods in DOCUMENT["paths"].items() if methods.keys() >= {"get", "post"}]
)
def test_every_method_takes_the_same(path):
    """The query of a GET and the body of a POST are described alike."""
    methods = DOCUMENT["paths"][path]
    given = [each for each in methods["get"]["parameters"] if each["in"] == "query"]
    by_query = {each["name"]: each["schema"] for each in given}
    body = methods["post"].get("requestBody", {}).get("content", {}).get("application/json", {})
    assert by_query == body.get("schema", {}).get("properties", {})


def test_every_reference_leads_somewhere():
    """The document is whole: each reference names a schema in it, and no operation id is used twice."""

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for each in node.values():
                yield from walk(each)
        elif isinstance(node, list):
            for each in node:
                yield from walk(each)

    assert {ref.rpartition("/")[2] for ref in walk(DOCUMENT)} <= set(COMPONENTS)
    ids = [each["operationId"] for methods in DOCUMENT["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


async def test_documents_are_served(wire):
    """The document and the page to read it at need no token, and the page needs no other machine."""
    document = await wire.ask("GET", "/openapi.json", token=None)
    assert document.json == DOCUMENT
    page = await wire.ask("GET", "/docs", token=None)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    html = page.content.decode()
    assert [path for path in DOCUMENT["paths"] if f"<code>{path}</code>" not in html] == []
    assert "http" not in html.replace("http_", "")
    assert "`" not in html, "what is code is shown as code"
    refused = await wire.ask("POST", "/docs")
    assert (refused.status, refused.error["message"]) == (405, "only GET accepted")


def headers_named(path: str, method: str) -> tuple[set[str], set[str], set[str]]:
    """The headers of requests, of good replies and of refusals that the document names at a path."""
    operation = DOCUMENT["paths"][path][method]
    replies = operation["responses"]
    asked = {each["name"] for each in operation["parameters"] if each["in"] == "header"}
    return asked, set(replies["200"]["headers"]), set(replies["default"]["headers"])


def test_headers_are_named_where_they_count():
    """What acts takes a key and an actor, what may wait takes a preference, and every reply has its id."""
    acts = {"Idempotency-Key", "Thumbturn-Actor", "traceparent"}
    always, refused = {"seam-request-id"}, {"seam-request-id", "Retry-After"}
    replayed, waited = {"Idempotent-Replayed"}, {"Preference-Applied"}
    for path, method, asked, good in (
        ("/locks/unlock_door", "post", acts | {"Prefer"}, always | replayed | waited),
        ("/devices/update", "patch", acts, always | replayed),
        ("/devices/list", "get", {"traceparent"}, always),
        ("/action_attempts/get", "get", {"traceparent", "Prefer"}, always | waited),
        ("/thumbturn/attempts/batch/get", "post", {"traceparent", "Prefer"}, always | waited),
        ("/thumbturn/stream", "get", {"traceparent", "Last-Event-ID"}, always),
        ("/health", "get", set(), always),
    ):
        assert headers_named(path, method) == (asked, good, refused), path


def test_a_preference_is_named_exactly_where_the_code_heeds_it():
    """An endpoint waits for the end of attempts if, and only if, the document says so."""
    for path, endpoint in endpoints().items():
        called = endpoint.function.__code__.co_names + endpoint.function.__code__.co_freevars
        assert endpoint.waits == bool({"settled", "all_settled"} & set(called)), path


def test_the_required_header_of_a_reply_is_the_request_id_alone():
    """A client can rely on the id; every other header depends on what was asked and what came of it."""
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            for reply in operation["responses"].values():
                required = [name for name, header in reply["headers"].items() if header.get("required")]
                assert required == ["seam-request-id"]


def test_a_parameter_says_what_it_is_for():
    """A parameter has the text that stands below it in the code, also one that another model brings."""
    unlock, devices = (
        DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
        for path in ("/locks/unlock_door", "/devices/list")
    )
    assert unlock["device_id"]["description"] == "The device that shall act."
    assert devices["page_cursor"]["description"].startswith("Where to go on")
