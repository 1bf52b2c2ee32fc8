"""The OpenAPI 3.1 document, from the same models that validate and the same shapes that are built."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from thumbturn import __version__
from thumbturn.api.callers import Bearer, Caller, Person
from thumbturn.api.endpoint import Endpoint
from thumbturn.api.headers import of_good_replies, of_refusals, parameters_of
from thumbturn.domain.errors import FAILURES, REFUSALS
from thumbturn.domain.workspace import KeyKind

_REFERENCE = "#/components/schemas/{model}"

_SECURITY_SCHEMES = {
    "api_key": {"type": "http", "scheme": "bearer", "description": "An API key: it opens one workspace."},
    "personal_access_token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A person's token: with the header seam-workspace it opens one of his workspaces.",
    },
    "seam_workspace": {"type": "apiKey", "in": "header", "name": "seam-workspace"},
    "client_session": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a client session, which sees the devices of some accounts. "
        "The headers client-session-token and seam-client-session-token take it, too.",
    },
    "publishable_key": {
        "type": "apiKey",
        "in": "header",
        "name": "seam-publishable-key",
        "description": "A workspace's key that may be in a page: it opens a client session, nothing else.",
    },
}
#: What an endpoint may be open to besides keys, as security schemes.
_ALSO: dict[KeyKind, dict[str, list[str]]] = {
    KeyKind.CLIENT_SESSION: {"client_session": []},
    KeyKind.PUBLISHABLE_KEY: {"publishable_key": []},
}
_WITH_WORKSPACE: list[dict[str, list[str]]] = [
    {"api_key": []},
    {"personal_access_token": [], "seam_workspace": []},
]
_WITHOUT_WORKSPACE: list[dict[str, list[str]]] = [{"personal_access_token": []}]
_SECURITY: dict[type[Bearer] | None, list[dict[str, list[str]]]] = {
    None: [],
    Caller: _WITH_WORKSPACE,
    Person: _WITHOUT_WORKSPACE,
    Bearer: _WITH_WORKSPACE + _WITHOUT_WORKSPACE,
}

_ERROR = {
    "type": "object",
    "required": ["error", "ok"],
    "properties": {
        "ok": {"type": "boolean", "const": False},
        "error": {
            "type": "object",
            "required": ["type", "message", "request_id"],
            "properties": {
                "type": {"type": "string"},
                "message": {"type": "string"},
                "data": {"type": "object", "description": "The ids at fault."},
                "validation_errors": {
                    "type": "object",
                    "description": "Every problem at its place; each node has a list _errors.",
                },
                "request_id": {"type": "string", "description": "The same as in the header seam-request-id."},
            },
        },
    },
}


def openapi(table: Mapping[str, Endpoint]) -> dict[str, Any]:
    """The whole document for these endpoints."""
    components: dict[str, Any] = {"Error": _ERROR}
    paths = {path: _path(endpoint, components) for path, endpoint in table.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Thumbturn",
            "version": __version__,
            "description": "Makes physical devices do things and tells the truth about it.",
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SECURITY_SCHEMES},
        "x-refusals": {
            type: {"status": refusal.status, "message": refusal.sentence}
            for type, refusal in sorted(REFUSALS.items())
        },
        "x-failures": {type: failure.sentence for type, failure in sorted(FAILURES.items())},
    }


def _path(endpoint: Endpoint, components: dict[str, Any]) -> dict[str, Any]:
    ask = _collect(_schema_of(endpoint.ask), components)
    answer = {
        "type": "object",
        "required": [*endpoint.answers, "ok"],
        "properties": {
            **{key: _collect(_schema_of(shape), components) for key, shape in endpoint.answers.items()},
            "ok": {"type": "boolean", "const": True},
        },
    }
    return {method.lower(): _operation(endpoint, method, ask, answer) for method in endpoint.methods}


def _operation(
    endpoint: Endpoint, method: str, ask: Mapping[str, Any], answer: Mapping[str, Any]
) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": answer}}
    if endpoint.is_stream:
        content = {"text/event-stream": {"schema": _frame(answer)}}
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.path.strip('/').replace('/', '_')}_{method.lower()}",
        "tags": [endpoint.path.rpartition("/")[0] or "/"],
        "summary": endpoint.summary,
        "description": endpoint.description,
        "security": [
            *_SECURITY[endpoint.access],
            *(scheme for kind, scheme in _ALSO.items() if kind in endpoint.open_to),
        ],
        "responses": {
            "200": {"description": "OK", "headers": of_good_replies(endpoint), "content": content},
            "default": {
                "description": "Refused",
                "headers": of_refusals(),
                "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(model="Error")}}},
            },
        },
    }
    operation["parameters"] = parameters_of(endpoint)
    if method == "GET":
        operation["parameters"] += [
            _parameter(name, schema, required=name in ask.get("required", ()))
            for name, schema in ask.get("properties", {}).items()
        ]
    elif ask.get("properties"):
        operation["requestBody"] = {
            "required": bool(ask.get("required")),
            "content": {"application/json": {"schema": ask}},
        }
    return operation


def _frame(answer: Mapping[str, Any]) -> dict[str, Any]:
    """One frame of a stream. What would be keys of an answer are kinds of ``data`` here."""
    shapes = [shape for name, shape in answer["properties"].items() if name != "ok"]
    data = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"anyOf": shapes},
    }
    return {
        "type": "object",
        "description": "A frame of Server-Sent Events.",
        "properties": {
            "id": {"type": "string"},
            "event": {"type": "string"},
            "data": data,
            "retry": {"type": "integer", "description": "Milliseconds to wait before connecting again."},
        },
    }


def _parameter(name: str, schema: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    parameter = {"name": name, "in": "query", "required": required, "schema": schema}
    if "description" in schema:
        parameter["description"] = schema["description"]
    return parameter


def _schema_of(shape: Any) -> dict[str, Any]:
    schema: dict[str, Any] = from_json(_schema_text(shape))
    return schema


@cache
def _schema_text(shape: Any) -> bytes:
    # Many endpoints answer with the same few shapes, and making out a device's takes milliseconds.
    return to_json(TypeAdapter(shape).json_schema(ref_template=_REFERENCE))


def _collect(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """The schema without its definitions, which go to the components.

    Raises ``TypeError`` for two definitions of one name.
    """
    _drop_absent_defaults(schema)
    for name, definition in schema.pop("$defs", {}).items():
        if components.setdefault(name, definition) != definition:
            raise TypeError(f"two shapes are called {name}")
    return schema


def _drop_absent_defaults(node: Any) -> None:
    """Inside, a parameter that was left out is ``None``; that is no default to tell anybody."""
    if isinstance(node, dict):
        if node.get("default", ...) is None:
            del node["default"]
        for each in node.values():
            _drop_absent_defaults(each)
    elif isinstance(node, list):
        for each in node:
            _drop_absent_defaults(each)
