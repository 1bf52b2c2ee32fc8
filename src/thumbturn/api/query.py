"""The query grammar: from a query string to the JSON that the same request would have as a body.

What a value is follows from the parameter's type, which is read once from the JSON schema of the
endpoint's model. There are two dialects. With exactly ``_strict=true`` in it (both official SDKs
send that) a query says everything in one way; otherwise it is read generously, as people type it.

================  ==========================  ===============================================
..                strict                      generous
================  ==========================  ===============================================
array             repeated keys               repeated keys, ``a[]=1&a[]=2`` or ``a=1,2``
``a=``            ``[]`` for an array,        the same, also for white space (but a string
                  else null                   of white space is a string)
boolean           ``true`` ``false``          also True TRUE yes Yes YES 1, False FALSE no …
number, date      as it stands                white space around it is dropped
================  ==========================  ===============================================

A value that is none of its type is handed on as the text it is: validation then says so, beside
all other problems. Only what cannot be read as one value is refused here. Unknown names are
ignored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from pydantic import BaseModel

from thumbturn.api.refusals import InvalidQueryParams

_TRUE = frozenset({"True", "TRUE", "yes", "Yes", "YES", "1"})
_FALSE = frozenset({"False", "FALSE", "no", "No", "NO", "0"})
_STRICT_BOOLEAN = {"true": True, "false": False}
_GENEROUS_BOOLEAN = _STRICT_BOOLEAN | dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)
_INTEGER = re.compile(r"-?[0-9]{1,300}")
_DECIMAL = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?")


class Kind(NamedTuple):
    """How a parameter's text is read."""

    #: string, text_or_boolean, number, boolean, date or object.
    word: str
    is_array: bool = False


@cache
def grammar_of(model: type[BaseModel]) -> QueryGrammar:
    """The grammar of the endpoint that takes this model. Learning takes a millisecond: it is done once."""
    return QueryGrammar(model)


class QueryGrammar:
    """Reads the query strings of one endpoint."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._kinds: dict[str, Kind] = {}
        #: Parameters whose keys the caller chooses, written ``name.key=value``.
        self._records: dict[str, Kind] = {}
        schema = model.model_json_schema()
        self._learn(schema, schema.get("$defs", {}), "")

    def parse(self, query: bytes) -> dict[str, Any]:
        """The parameters that the query string gives. Raises ``InvalidQueryParams``."""
        given: dict[str, list[str]] = {}
        for pair in _decode(query).split("&"):
            name, _, value = pair.partition("=")
            if name:
                given.setdefault(_unquote(name, name), []).append(_unquote(name, value))
        strict = given.pop("_strict", None) == ["true"]
        parameters: dict[str, Any] = {}
        for name, values in given.items():
            root, bracket, _ = name.partition("[")
            kind = self._kind(root)
            if kind is None:
                continue
            if bracket:
                if strict or name != f"{root}[]" or not kind.is_array:
                    raise _unreadable(name, "is not a form in which this parameter can be given")
                if root in given:
                    raise _unreadable(root, "is given in two forms at once")
            if kind.is_array:
                read: Any = _array(root, values, kind.word, strict=strict, bracketed=bool(bracket))
            elif len(values) > 1:
                raise _unreadable(name, "is given more than once")
            else:
                read = _scalar(values[0], kind.word, strict=strict)
            self._place(parameters, root, read)
        return parameters

    def _learn(self, schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str) -> None:
        for name, described in schema.get("properties", {}).items():
            path = prefix + name
            wanted = _resolve(described, definitions)
            if wanted.get("type") == "array":
                self._kinds[path] = Kind(_word(_resolve(wanted["items"], definitions)), is_array=True)
                continue
            self._kinds[path] = Kind(_word(wanted))
            if wanted.get("type") == "object":
                self._learn(wanted, definitions, f"{path}.")
                if "additionalProperties" in wanted:
                    self._records[path] = Kind(_word(_resolve(wanted["additionalProperties"], definitions)))

    def _kind(self, name: str) -> Kind | None:
        kind = self._kinds.get(name)
        if kind is None and "." in name:
            kind = self._records.get(name.partition(".")[0])
        return kind

    def _place(self, parameters: dict[str, Any], name: str, value: Any) -> None:
        outer = name.partition(".")[0]
        *steps, last = name.split(".", 1 if outer in self._records else -1)
        here = parameters
        for step in steps:
            here = here.setdefault(step, {})
            if not isinstance(here, dict):
                raise _unreadable(step, "is given in two forms at once")
        if last in here:
            raise _unreadable(name, "is given in two forms at once")
        here[last] = value


def _resolve(schema: Any, definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a reference, without its null."""
    if not isinstance(schema, Mapping):
        return {}
    if "$ref" in schema:
        return _resolve(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    members = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return _resolve(members[0], definitions) if len(members) == 1 else schema


def _word(schema: Mapping[str, Any]) -> str:
    if {each.get("type") for each in schema.get("anyOf", ())} >= {"string", "boolean"}:
        return "text_or_boolean"
    if schema.get("format") == "date-time":
        return "date"
    word = schema.get("type", "string")
    return "number" if word == "integer" else str(word)


def _decode(query: bytes) -> str:
    try:
        return query.decode("ascii")
    except UnicodeDecodeError:
        raise InvalidQueryParams("Could not parse the query string: it must be percent-encoded") from None


def _unquote(name: str, text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    try:
        return unquote_plus(text, errors="strict").replace("\0", "\ufffd")
    except UnicodeDecodeError:
        raise _unreadable(name, "is not UTF-8") from None


def _unreadable(name: str, reason: str) -> InvalidQueryParams:
    return InvalidQueryParams(f"Could not parse parameter: '{name}' {reason}")


def _array(name: str, values: list[str], word: str, *, strict: bool, bracketed: bool) -> list[Any]:
    if not strict and not bracketed and any("," in value for value in values):
        if len(values) > 1:
            raise _unreadable(name, "is given in two forms at once")
        values = values[0].split(",")
    if len(values) == 1 and not (values[0] if strict or word == "string" else values[0].strip()):
        return []
    return [_scalar(value, word, strict=strict) for value in values]


def _scalar(text: str, word: str, *, strict: bool) -> Any:
    if word in {"number", "date", "boolean"} and not strict:
        text = text.strip()
    if not text:
        return None
    if word == "boolean":
        return (_STRICT_BOOLEAN if strict else _GENEROUS_BOOLEAN).get(text, text)
    if word == "text_or_boolean":
        return _STRICT_BOOLEAN.get(text, text)
    if word == "number":
        return _number(text)
    return text


def _number(text: str) -> int | float | str:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text
