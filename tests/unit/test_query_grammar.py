"""The query grammar: what each form of each type means, with and without ``_strict=true``."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from thumbturn.api.parameters import Moment
from thumbturn.api.query import QueryGrammar
from thumbturn.api.refusals import InvalidQueryParams


class Inner(BaseModel):
    name: str | None = None
    count: int = 0


class Ask(BaseModel):
    text: str = ""
    many: list[str] = []
    numbers: list[Annotated[int, Field(gt=0)]] | None = None
    flag: bool = False
    count: int = 0
    level: float | None = None
    at: Moment | None = None
    inner: Inner | None = None
    has: dict[str, str | bool] | None = None


GRAMMAR = QueryGrammar(Ask)

BOTH = [
    ("", {}),
    ("text=a", {"text": "a"}),
    ("text=a+b%2Bc", {"text": "a b+c"}),
    ("text=%C3%A9", {"text": "é"}),
    ("text=a=b", {"text": "a=b"}),
    ("text=true", {"text": "true"}),
    ("text=1", {"text": "1"}),
    ("text=%20", {"text": " "}),
    ("text=", {"text": None}),
    ("text", {"text": None}),
    ("text=%00", {"text": "\ufffd"}),
    ("many=a&many=b", {"many": ["a", "b"]}),
    ("many=a", {"many": ["a"]}),
    ("many=", {"many": []}),
    ("numbers=1&numbers=2", {"numbers": [1, 2]}),
    ("flag=true", {"flag": True}),
    ("flag=false", {"flag": False}),
    ("flag=perhaps", {"flag": "perhaps"}),
    ("flag=", {"flag": None}),
    ("count=12", {"count": 12}),
    ("count=-3", {"count": -3}),
    ("count=x", {"count": "x"}),
    ("count=1_000", {"count": "1_000"}),
    ("count=", {"count": None}),
    ("level=0.5", {"level": 0.5}),
    ("level=1e3", {"level": 1000.0}),
    ("level=1e999", {"level": "1e999"}),
    ("level=nan", {"level": "nan"}),
    ("at=2026-01-02T03:04:05.678Z", {"at": "2026-01-02T03:04:05.678Z"}),
    ("inner.name=n&inner.count=2", {"inner": {"name": "n", "count": 2}}),
    ("inner.other=x", {}),
    ("has.tag=x&has.on=true", {"has": {"tag": "x", "on": True}}),
    ("has.a.b=x", {"has": {"a.b": "x"}}),
    ("unknown=1&unknown=2", {}),
    ("&&text=a&", {"text": "a"}),
]

STRICT = [
    ("many=a,b", {"many": ["a,b"]}),
    ("many=%20", {"many": [" "]}),
    ("flag=yes", {"flag": "yes"}),
    ("flag=True", {"flag": "True"}),
    ("flag=%20true", {"flag": " true"}),
    ("count=%2012", {"count": " 12"}),
    ("at=%202026-01-02", {"at": " 2026-01-02"}),
]

GENEROUS = [
    ("many=a,b", {"many": ["a", "b"]}),
    ("many[]=1&many[]=2", {"many": ["1", "2"]}),
    ("many[]=a,b", {"many": ["a,b"]}),
    ("numbers=1,2", {"numbers": [1, 2]}),
    ("numbers=%20", {"numbers": []}),
    *((f"flag={word}", {"flag": True}) for word in ("True", "TRUE", "yes", "Yes", "YES", "1")),
    *((f"flag={word}", {"flag": False}) for word in ("False", "FALSE", "no", "No", "NO", "0")),
    ("flag=%20", {"flag": None}),
    ("count=%2012%20", {"count": 12}),
    ("count=%20", {"count": None}),
    ("at=%202026-01-02%20", {"at": "2026-01-02"}),
    ("many=a&_strict=false", {"many": ["a"]}),
    ("many=a,b&_strict=True", {"many": ["a", "b"]}),
    ("many=a,b&_strict=true&_strict=true", {"many": ["a", "b"]}),
]


@pytest.mark.parametrize(("query", "meaning"), BOTH + STRICT)
def test_strict_reading(query, meaning):
    """With exactly `_strict=true` a query is read in one way, and the word itself is swallowed."""
    assert GRAMMAR.parse(f"{query}&_strict=true".encode()) == meaning


@pytest.mark.parametrize(("query", "meaning"), BOTH + GENEROUS)
def test_generous_reading(query, meaning):
    """Without it a query is read as people type it."""
    assert GRAMMAR.parse(query.encode()) == meaning


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("text=a&text=b", "'text' is given more than once"),
        ("count=1&count=1", "'count' is given more than once"),
        ("text[]=a", "'text[]' is not a form in which this parameter can be given"),
        ("many[0]=a", "'many[0]' is not a form in which this parameter can be given"),
        ("text=%ff", "'text' is not UTF-8"),
        ("inner=1&inner.name=a", "'inner' is given in two forms at once"),
        ("inner.name=a&inner=1", "'inner' is given in two forms at once"),
    ],
)
@pytest.mark.parametrize("dialect", ["", "&_strict=true"])
def test_what_has_no_meaning_is_refused(query, message, dialect):
    """A value that cannot be read as one value is refused by the parameter's name, in both dialects."""
    with pytest.raises(InvalidQueryParams) as refused:
        GRAMMAR.parse(f"{query}{dialect}".encode())
    assert refused.value.message == f"Could not parse parameter: {message}"


@pytest.mark.parametrize(
    "query", ["many[]=a&_strict=true", "many=a&many[]=b", "many=a,b&many=c", "many=a,b&many[]=c"]
)
def test_forms_of_arrays_do_not_mix(query):
    """Strictly an array is repeated keys only; generously it has one form at a time."""
    with pytest.raises(InvalidQueryParams):
        GRAMMAR.parse(query.encode())


def test_a_query_that_is_not_encoded_is_refused():
    """Raw bytes beyond ASCII are refused, since nobody can say what they mean."""
    with pytest.raises(InvalidQueryParams):
        GRAMMAR.parse("text=é".encode())


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "text": st.text(min_size=1).filter(lambda text: "\0" not in text),
            "many": st.lists(st.text(min_size=1).filter(lambda text: "\0" not in text), min_size=1),
            "numbers": st.lists(st.integers(), min_size=1),
            "flag": st.booleans(),
            "count": st.integers(),
        },
    )
)
def test_what_the_sdks_write_is_read_back(ask: dict[str, Any]):
    """Parameters written as the SDKs write them come back as they were."""
    from urllib.parse import urlencode

    pairs: list[tuple[str, str]] = [("_strict", "true")]
    for name, value in ask.items():
        for each in value if isinstance(value, list) else [value]:
            pairs.append((name, str(each).lower() if isinstance(each, bool) else str(each)))
    assert GRAMMAR.parse(urlencode(pairs).encode()) == ask
