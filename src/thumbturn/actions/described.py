"""What the fields of a model are for: the text below each, brought into its JSON schema.

pydantic can do that by itself, but reads the source of every model as it is declared. That is a third of
the time that declaring takes, at every start of a server, for a document that is seldom asked for. Here it
is read when the schema is.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel


def describe_fields(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Put the text of each field into the schema of the model: for ``json_schema_extra`` of its config."""
    texts: dict[str, str] = {}
    for each in reversed(model.__mro__):
        texts |= _texts_of(each)
    for name, described in schema.get("properties", {}).items():
        if name in texts:
            described.setdefault("description", texts[name])


@cache
def _texts_of(model: type) -> Mapping[str, str]:
    """The text below each field that this class itself declares, by the field's name."""
    declared = _classes_in(model.__module__).get(model.__name__)
    if declared is None:
        return {}
    texts = {}
    for field, below in zip(declared.body, declared.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                texts[name] = inspect.cleandoc(text)
    return texts


@cache
def _classes_in(module: str) -> Mapping[str, ast.ClassDef]:
    """The classes that a module declares; none of one whose source is not there."""
    if not module.startswith(__package__.partition(".")[0]):
        return {}
    try:
        parsed = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError):
        return {}
    return {each.name: each for each in parsed.body if isinstance(each, ast.ClassDef)}
