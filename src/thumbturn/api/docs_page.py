"""A page to read the API at: plain HTML made from the OpenAPI document, so that it works offline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font: 14px ui-monospace, monospace; background: #f1f3f6; padding: .1em .3em; border-radius: 3px; }
details { border-top: 1px solid #dde1e8; padding: .5rem 0; }
summary { cursor: pointer; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td { border-top: 1px solid #eceff3; padding: .25rem .75rem .25rem 0; vertical-align: top; }
@media (prefers-color-scheme: dark) {
  body { background: #14181f; color: #d8dee9; }
  code { background: #232a35; }
  details, td { border-color: #2c3442; }
}
"""


def docs_page(document: Mapping[str, Any]) -> bytes:
    """The page, UTF-8."""
    info = document["info"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])}</title>",
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])} ",
        "The same as a document for programs: <a href=/openapi.json><code>/openapi.json</code></a>.</p>",
        "<p>Parameters are the same in the query string and in a JSON body. Send a token as ",
        "<code>Authorization: Bearer …</code>.</p><h2>Endpoints</h2>",
        *(part for path, methods in document["paths"].items() for part in _endpoint(path, methods)),
        "<h2>Refusals</h2><table>",
        *(_row(type, f"{each['status']}", each["message"]) for type, each in document["x-refusals"].items()),
        "</table><h2>Why an attempt can fail</h2><table>",
        *(_row(type, "", message) for type, message in document["x-failures"].items()),
        "</table></html>",
    ]
    return "".join(parts).encode()


def _endpoint(path: str, methods: Mapping[str, Any]) -> Iterator[str]:
    operation = next(iter(methods.values()))
    words = " ".join(method.upper() for method in methods)
    yield f"<details id='{escape(path)}'><summary><code>{escape(path)}</code> "
    yield f"{_prose(operation['summary'])}</summary><p>{words}</p>"
    for paragraph in operation["description"].split("\n\n"):
        yield f"<p>{_prose(paragraph)}</p>"
    yield "<table>"
    ask = _parameters(methods)
    for name, schema in ask.get("properties", {}).items():
        needed = "required" if name in ask.get("required", ()) else ""
        yield _row(name, f"{_type(schema)} {needed}", schema.get("description", ""))
    [(kind, content)] = operation["responses"]["200"]["content"].items()
    answers = content["schema"].get("properties", (kind,))
    yield f"</table><p>Answers: {', '.join(f'<code>{escape(key)}</code>' for key in answers)}</p></details>"


def _parameters(methods: Mapping[str, Any]) -> Mapping[str, Any]:
    for operation in methods.values():
        if "requestBody" in operation:
            schema: Mapping[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
            return schema
    # What can only be read has its parameters in the query.
    listed = [
        each
        for operation in methods.values()
        for each in operation.get("parameters", ())
        if each["in"] == "query"
    ]
    return {
        "properties": {
            each["name"]: {"description": each.get("description", ""), **each["schema"]} for each in listed
        },
        "required": [each["name"] for each in listed if each["required"]],
    }


def _row(name: str, kind: str, text: str) -> str:
    return f"<tr><td><code>{escape(name)}</code><td>{escape(kind)}<td>{_prose(text)}"


def _prose(text: str) -> str:
    """Text in which words between backticks are code."""
    return re.sub("(`+)(.+?)\\1", r"<code>\2</code>", escape(text))


def _type(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"array of {_type(schema['items'])}"
    return str(schema.get("format") or schema.get("type") or "object")
