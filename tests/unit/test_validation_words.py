"""The contract's words for what is wrong with a request, and the tree they hang in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, model_validator

from thumbturn.api.parameters import Moment
from thumbturn.api.refusals import InvalidInput
from thumbturn.api.table import endpoints
from thumbturn.api.validation import SENTENCES, refusal_of


class Period(BaseModel):
    climate_preset_key: str
    hour: int = 0


class Heat(BaseModel):
    mode: Literal["heat"]


class Cool(BaseModel):
    mode: Literal["cool"]


class ByName(BaseModel):
    name: str


class ByNumber(BaseModel):
    number: int


class Ask(BaseModel):
    device_id: str
    device_ids: list[str] | None = None
    enabled: bool | None = None
    fan: Literal["auto", "on", "circulate"] | None = None
    managed: Literal[True] | None = None
    seconds: Annotated[float, Field(ge=1, le=60)] | None = None
    limit: Annotated[int, Field(gt=0, lt=10)] | None = None
    code: Annotated[str, Field(min_length=4, max_length=8, pattern=r"^\d+$")] | None = None
    pair: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    periods: list[Period] | None = None
    metadata: dict[str, str | bool | None] | None = None
    hvac: Annotated[Heat | Cool, Field(discriminator="mode")] | None = None
    who: ByName | ByNumber | None = None
    at: Moment | None = None

    @model_validator(mode="after")
    def _rule(self) -> Ask:
        if self.device_id == "none":
            raise ValueError("Either 'device_id' or 'name' is required")
        return self


def refused(given: Any, wording: Any = "current") -> InvalidInput:
    with pytest.raises(ValidationError) as problems:
        Ask.__pydantic_validator__.validate_python(given, strict=True)
    return refusal_of(problems.value, given, wording)


def tree(*path: str, says: str | list[str]) -> dict[str, Any]:
    """The tree with these words at the end of a path."""
    node: dict[str, Any] = {"_errors": [says] if isinstance(says, str) else says}
    for step in reversed(path):
        node = {"_errors": [], step: node}
    return node


ONE_PROBLEM = [
    ({"device_id": None}, ["device_id"], "Expected string, received null"),
    ({"device_id": 5}, ["device_id"], "Expected string, received number"),
    ({"device_id": ["a"]}, ["device_id"], "Expected string, received array"),
    ({"device_id": {}}, ["device_id"], "Expected string, received object"),
    ({"device_id": True}, ["device_id"], "Expected string, received boolean"),
    ({"device_ids": 5}, ["device_ids"], "Expected array, received number"),
    ({"device_ids": ["a", 5]}, ["device_ids", "1"], "Expected string, received number"),
    ({"enabled": "true"}, ["enabled"], "Expected boolean, received string"),
    ({"enabled": 1}, ["enabled"], "Expected boolean, received number"),
    ({"fan": "fast"}, ["fan"], "Invalid enum value. Expected 'auto' | 'on' | 'circulate', received 'fast'"),
    ({"fan": 5}, ["fan"], "Expected 'auto' | 'on' | 'circulate', received number"),
    ({"managed": False}, ["managed"], "Invalid literal value, expected true"),
    ({"seconds": 61}, ["seconds"], "Number must be less than or equal to 60"),
    ({"seconds": 0.5}, ["seconds"], "Number must be greater than or equal to 1"),
    ({"seconds": "5"}, ["seconds"], "Expected number, received string"),
    ({"limit": 0}, ["limit"], "Number must be greater than 0"),
    ({"limit": 10}, ["limit"], "Number must be less than 10"),
    ({"limit": 1.5}, ["limit"], "Expected integer, received float"),
    ({"limit": "5"}, ["limit"], "Expected number, received string"),
    ({"code": "123"}, ["code"], "String must contain at least 4 character(s)"),
    ({"code": "123456789"}, ["code"], "String must contain at most 8 character(s)"),
    ({"code": "abcd"}, ["code"], "Invalid"),
    ({"pair": ["a"]}, ["pair"], "Array must contain at least 2 element(s)"),
    ({"pair": ["a", "b", "c"]}, ["pair"], "Array must contain at most 2 element(s)"),
    ({"periods": [5]}, ["periods", "0"], "Expected object, received number"),
    ({"periods": [{"climate_preset_key": 1}]}, ["periods", "0", "climate_preset_key"],
     "Expected string, received number"),
    ({"metadata": []}, ["metadata"], "Expected object, received array"),
    ({"hvac": {"mode": "eco"}}, ["hvac", "mode"], "Invalid discriminator value. Expected 'heat' | 'cool'"),
    ({"at": "yesterday"}, ["at"], "Invalid datetime"),
    ({"at": 5}, ["at"], "Expected string, received number"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "path", "words"), ONE_PROBLEM, ids=lambda each: str(each)[:60])
def test_one_problem(given, path, words):
    """One problem is the message, with the name of its parameter, and stands alone in the tree."""
    refusal = refused({"device_id": "d", **given})
    assert refusal.message == f'{words} for "{".".join(path)}"'
    assert refusal.validation_errors == tree(*path, says=words)


@pytest.mark.parametrize(
    ("wording", "message"),
    [("seed", 'Required for provided "device_id"'), ("current", "device_id is required")],
)
def test_a_missing_parameter_has_two_wordings(wording, message):
    """The sentence for one missing parameter is a setting; the tree is the same."""
    refusal = refused({}, wording)
    assert (refusal.message, refusal.type, refusal.status) == (message, "invalid_input", 400)
    assert refusal.validation_errors == tree("device_id", says="Required")


def test_a_missing_member_is_named_by_its_whole_path():
    """What is missing inside an array is named by the way to it."""
    refusal = refused({"device_id": "d", "periods": [{}]})
    assert refusal.message == "periods.0.climate_preset_key is required"
    assert refusal.validation_errors == tree("periods", "0", "climate_preset_key", says="Required")


def test_a_rule_about_the_whole_object_stands_at_the_root():
    """A rule that concerns no single parameter is told by itself."""
    refusal = refused({"device_id": "none"})
    assert refusal.message == "Either 'device_id' or 'name' is required"
    assert refusal.validation_errors == {"_errors": ["Either 'device_id' or 'name' is required"]}


@pytest.mark.parametrize(("given", "word"), [([], "array"), (None, "null"), ("a", "string"), (5, "number")])
def test_a_body_that_is_no_object(given, word):
    """A body that is no object is refused as a whole."""
    refusal = refused(given)
    assert refusal.message == f"Expected object, received {word}"
    assert refusal.validation_errors == {"_errors": [f"Expected object, received {word}"]}


def test_all_problems_are_told_at_once():
    """Several problems are counted, joined in the message and each at its place in the tree."""
    refusal = refused({"device_ids": [5, "a", None], "limit": 0}, "seed")
    assert refusal.message == (
        "4 Input Errors: device_id is required, "
        'Expected string, received number for "device_ids.0", '
        'Expected string, received null for "device_ids.2", '
        'Number must be greater than 0 for "limit"'
    )
    assert refusal.validation_errors == {
        "_errors": [],
        "device_id": {"_errors": ["Required"]},
        "device_ids": {
            "_errors": [],
            "0": {"_errors": ["Expected string, received number"]},
            "2": {"_errors": ["Expected string, received null"]},
        },
        "limit": {"_errors": ["Number must be greater than 0"]},
    }


def test_a_union_is_one_problem_with_a_word_from_each_member():
    """A value that fits no type of a union is `Invalid input`; the tree has what each of them says."""
    refusal = refused({"device_id": "d", "metadata": {"tag": 5}})
    assert refusal.message == 'Invalid input for "metadata.tag"'
    assert refusal.validation_errors == tree(
        "metadata",
        "tag",
        says=["Expected string, received number", "Expected boolean, received number"],
    )


def test_a_union_of_objects_merges_what_its_members_miss():
    """An object that fits no member of a union shows what each member lacks."""
    refusal = refused({"device_id": "d", "who": {}})
    assert refusal.message == 'Invalid input for "who"'
    assert refusal.validation_errors == {
        "_errors": [],
        "who": {"_errors": [], "name": {"_errors": ["Required"]}, "number": {"_errors": ["Required"]}},
    }


def test_a_key_called_like_the_list_of_problems_does_not_break_the_tree():
    """A caller's own key `_errors` does not take the place of the list."""
    refusal = refused({"device_id": "d", "metadata": {"_errors": 5}})
    assert refusal.validation_errors["metadata"]["_errors"] == [
        "Expected string, received number",
        "Expected boolean, received number",
    ]


#: What each kind of pydantic schema can find wrong, for those that our models are made of.
PROBLEMS = {
    "str": ["string_type"],
    "bool": ["bool_type"],
    "int": ["int_type"],
    "float": ["float_type", "finite_number"],
    "list": ["list_type"],
    "dict": ["dict_type"],
    "model": ["model_type"],
    "model-fields": ["missing"],
    "literal": ["literal_error"],
    "function-plain": ["invalid_datetime", "string_type"],
    "function-after": ["value_error"],
    "function-wrap": ["wrong_discriminator"],
    "any": [],
    "nullable": [],
    "default": [],
    "union": [],
    "definitions": [],
    "definition-ref": [],
    "model-field": [],
}
CONSTRAINTS = {
    "gt": "greater_than",
    "ge": "greater_than_equal",
    "lt": "less_than",
    "le": "less_than_equal",
    "pattern": "string_pattern_mismatch",
}
LENGTHS = {
    ("str", "min_length"): "string_too_short",
    ("str", "max_length"): "string_too_long",
    ("list", "min_length"): "too_short",
    ("list", "max_length"): "too_long",
}


def schemas(node: Any) -> Any:
    """Every core schema in a core schema."""
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield node
        for key, value in node.items():
            if key not in {"metadata", "serialization", "default", "function"}:
                yield from schemas(value)
    elif isinstance(node, list | tuple):
        for each in node:
            yield from schemas(each)


@pytest.mark.parametrize("path", sorted(endpoints()))
def test_every_problem_has_a_sentence(path):
    """Whatever can be wrong with the parameters of an endpoint has a sentence in the table."""
    lacking = set()
    for schema in schemas(endpoints()[path].ask.__pydantic_core_schema__):
        kind = schema["type"]
        assert kind in PROBLEMS, f"{path}: say here what a {kind} schema can find wrong, and in SENTENCES how"
        possible = set(PROBLEMS[kind])
        possible |= {CONSTRAINTS[key] for key in schema if key in CONSTRAINTS}
        possible |= {LENGTHS[kind, key] for key in schema if (kind, key) in LENGTHS}
        lacking |= possible - set(SENTENCES)
    assert lacking == set()
