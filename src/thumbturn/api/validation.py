"""From what pydantic finds wrong to the contract's words and its tree of ``validation_errors``.

All problems are told at once: each at its place in the tree, and all of them in the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from thumbturn.api.refusals import InvalidInput
from thumbturn.api.surroundings import ErrorWording

#: A sentence for every kind of problem that our models can have, by pydantic's name for it.
#: ``{received}`` is the JSON type that came, ``{value}`` the value; the rest is pydantic's context.
SENTENCES = {
    "missing": "Required",
    "string_type": "Expected string, received {received}",
    "bool_type": "Expected boolean, received {received}",
    "float_type": "Expected number, received {received}",
    "int_type": "Expected number, received {received}",
    "list_type": "Expected array, received {received}",
    "dict_type": "Expected object, received {received}",
    "model_type": "Expected object, received {received}",
    "literal_error": "Invalid enum value. Expected {choices}, received '{value}'",
    "greater_than": "Number must be greater than {gt}",
    "greater_than_equal": "Number must be greater than or equal to {ge}",
    "less_than": "Number must be less than {lt}",
    "less_than_equal": "Number must be less than or equal to {le}",
    "finite_number": "Expected number, received infinity",
    "string_too_short": "String must contain at least {min_length} character(s)",
    "string_too_long": "String must contain at most {max_length} character(s)",
    "string_pattern_mismatch": "Invalid",
    "too_short": "Array must contain at least {min_length} element(s)",
    "too_long": "Array must contain at most {max_length} element(s)",
    "union_tag_invalid": "Invalid discriminator value. Expected {choices}",
    "union_tag_not_found": "Invalid discriminator value",
    "wrong_discriminator": "Invalid discriminator value. Expected {choices}",
    "value_error": "{error}",
    "invalid_datetime": "Invalid datetime",
    "datetime_without_zone": "A moment must name its time zone, as in 2030-01-31T08:00:00Z",
}

Path = tuple[str, ...]


def refusal_of(problems: ValidationError, given: Any, wording: ErrorWording) -> InvalidInput:
    """The refusal that tells every problem of what was given."""
    tree: dict[str, Any] = {"_errors": []}
    issues: dict[tuple[Path, str], None] = {}
    for problem in problems.errors(include_url=False):
        path, union = _place(problem, given)
        text = sentence(problem)
        _note(tree, path, text)
        # A union is one issue, whatever each of its members has to say.
        issues[(path, text) if union is None else (union, "Invalid input")] = None
    alone = len(issues) == 1
    messages = [_message(path, text, wording if alone else "current") for path, text in issues]
    return InvalidInput(
        messages[0] if alone else f"{len(messages)} Input Errors: {', '.join(messages)}", tree
    )


def sentence(problem: ErrorDetails) -> str:
    """What is wrong, in the contract's words."""
    kind, value = problem["type"], problem["input"]
    context = {key: _plain(each) for key, each in problem.get("ctx", {}).items()}
    template = SENTENCES.get(kind, "Invalid input")
    if kind == "int_type" and isinstance(value, float):
        template = "Expected integer, received float"
    elif kind == "literal_error":
        choices = _choices(context["expected"])
        if len(choices) == 1:
            template = "Invalid literal value, expected {choices}"
        elif not isinstance(value, str):
            template = "Expected {choices}, received {received}"
        context["choices"] = " | ".join(choices)
    elif kind == "wrong_discriminator":
        context["choices"] = " | ".join(_choices(context["expected"]))
    elif kind == "union_tag_invalid":
        context["choices"] = " | ".join(_choices(context["expected_tags"]))
    return template.format(received=_received(value), value=value, **context)


def _place(problem: ErrorDetails, given: Any) -> tuple[Path, Path | None]:
    """Where the problem is in what was given, and the union it came through.

    pydantic puts the names of union members between the keys; they are no part of the path.
    """
    path: list[str] = []
    union: Path | None = None
    here = given
    location = problem["loc"]
    for place, step in enumerate(location):
        if isinstance(here, Mapping) and step in here:
            here = here[str(step)]
        elif isinstance(here, Sequence) and isinstance(step, int) and step < len(here):
            here = here[step]
        elif not (problem["type"] == "missing" and place == len(location) - 1):
            union = tuple(path)
            continue
        path.append(str(step))
    if problem["type"].startswith("union_tag"):
        path.append(problem["ctx"]["discriminator"].strip("'"))
    return tuple(path), union


def _note(tree: dict[str, Any], path: Path, text: str) -> None:
    node = tree
    for step in path:
        # A caller's own key of this name would take the place of the list of problems.
        if step != "_errors":
            node = node.setdefault(step, {"_errors": []})
    if text not in node["_errors"]:
        node["_errors"].append(text)


def _message(path: Path, text: str, wording: ErrorWording) -> str:
    name = ".".join(path)
    if not name:
        return text
    if text == SENTENCES["missing"]:
        return f'Required for provided "{name}"' if wording == "seed" else f"{name} is required"
    return f'{text} for "{name}"'


def _received(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def _choices(expected: str) -> list[str]:
    """The members of a list that pydantic wrote for people: ``'a', 'b' or 'c'``, or one ``True``."""
    return re.findall(r"'[^']*'", expected) or [expected.lower()]


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
