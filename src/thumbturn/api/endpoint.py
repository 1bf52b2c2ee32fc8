"""An endpoint: a typed function bound to a path, and the one decorator that declares it.

What a function needs it says by annotation: its parameters (a pydantic model), the ``Caller`` (or,
where no workspace is needed, the ``Bearer`` or ``Person``), the ``Pages`` of a list, the ``Call`` with
its headers, ``Once`` to begin an attempt through, and parts of the server. The signature is read once,
here; a need that nobody can meet fails at start.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_type_hints

from pydantic import BaseModel

from thumbturn.api.access import open_to
from thumbturn.api.call import Call
from thumbturn.api.callers import Bearer, Person
from thumbturn.api.once import Once
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Parameters
from thumbturn.api.placing import OF_CELLS, Place
from thumbturn.api.stream import EventStream
from thumbturn.domain.workspace import KeyKind
from thumbturn.engine.webhooks import Webhooks

Answer = Mapping[str, Any]
Function = Callable[..., Awaitable[Answer | EventStream]]

READ = ("GET", "POST")
WRITE = ("POST",)
UPDATE = ("POST", "PATCH")
REPLACE = ("POST", "PUT")
DELETE = ("POST", "DELETE")

_ROUTES = "thumbturn.api.routes."


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A function that answers at a path."""

    path: str
    methods: tuple[str, ...]
    function: Function
    #: The keys of a good answer, besides ``ok``, and the shape of each; for a stream the kinds of its data.
    answers: Mapping[str, Any]
    #: The model of its parameters.
    ask: type[BaseModel]
    #: Who may call it: ``Caller``, ``Person``, either (``Bearer``), or ``None`` for anybody.
    access: type[Bearer] | None
    #: Its parameters' names and what each is annotated with.
    needs: Mapping[str, Any]
    #: What it does, in a line, and all that is to say of it.
    summary: str
    description: str
    #: Whether its good answer is an ``EventStream``, and no JSON.
    is_stream: bool = False
    #: Whether it waits for attempts that others began, if its caller prefers to.
    waits_for_others: bool = False

    @property
    def open_to(self) -> frozenset[KeyKind]:
        """The kinds of tokens that it may be called with; none if it asks for none."""
        if self.access is None:
            return frozenset()
        return open_to(self.path, persons_only=self.access is Person)

    @property
    def acts(self) -> bool:
        """True if it changes something: those take no GET."""
        return "GET" not in self.methods

    @property
    def waits(self) -> bool:
        """True if its caller may prefer to wait for the end of attempts (``waiting.py``)."""
        return self.waits_for_others or self.name_of(Once) is not None

    @property
    def place(self) -> Place:
        """Where its calls can be answered, if several processes share the database."""
        if self.access is None or self.is_stream:
            return Place.ANYWHERE
        needs = set(self.needs.values())
        if Webhooks in needs:
            return Place.WEBHOOKS
        if needs & OF_CELLS or (self.acts and self.name_of(Once) is None):
            return Place.ENGINE
        return Place.ANYWHERE

    def name_of(self, kind: type) -> str | None:
        """The name under which the function takes this, if it does."""
        for name, wanted in self.needs.items():
            if isinstance(wanted, type) and issubclass(wanted, kind):
                return name
        return None

    def furnish(self, provided: Mapping[type, Any], of_requests: Collection[type] = ()) -> Function:
        """The function with those of its needs met that are the same at every request; ``of_requests`` are
        kinds of others, beside those that every request brings.

        Raises ``TypeError`` for a need that is neither provided nor brought by a request.
        """
        brought = (BaseModel, Bearer, Call, Once, Pages)
        constants = {}
        for name, wanted in self.needs.items():
            if wanted in of_requests or (isinstance(wanted, type) and issubclass(wanted, brought)):
                continue
            if wanted not in provided:
                raise TypeError(f"{self.path} needs {name}: {wanted}, which nobody provides")
            constants[name] = provided[wanted]
        return partial(self.function, **constants)


def endpoint(
    answers: Mapping[str, Any] | None = None,
    *,
    methods: tuple[str, ...] = READ,
    at: str | None = None,
    is_public: bool = False,
    is_stream: bool = False,
    waits_for_others: bool = False,
) -> Callable[[Function], Endpoint]:
    """Declares the decorated function as the endpoint at ``at``, or where its module and name say."""

    def declare(function: Function) -> Endpoint:
        path = at or _path_of(function)
        described = describe(function, path, answers or {}, methods, is_public=is_public, is_stream=is_stream)
        return replace(described, waits_for_others=waits_for_others)

    return declare


def describe(
    function: Function,
    path: str,
    answers: Mapping[str, Any],
    methods: tuple[str, ...],
    *,
    is_public: bool,
    is_stream: bool = False,
) -> Endpoint:
    """The endpoint that this function makes.

    Raises ``TypeError`` when it asks for no caller and is not meant to be public.
    """
    needs = {name: kind for name, kind in get_type_hints(function).items() if name != "return"}
    kinds = [kind for kind in needs.values() if isinstance(kind, type)]
    access = next((kind for kind in kinds if issubclass(kind, Bearer)), None)
    if (access is None) != is_public:
        raise TypeError(f"{path}: an endpoint asks for its Caller, or is declared public")
    text = inspect.getdoc(function) or path
    return Endpoint(
        path=path,
        methods=methods,
        function=function,
        answers=answers,
        ask=next((kind for kind in kinds if issubclass(kind, BaseModel)), Parameters),
        access=access,
        needs=needs,
        summary=text.splitlines()[0].replace("`", ""),  # plain text, unlike the description
        description=text,
        is_stream=is_stream,
    )


def _path_of(function: Function) -> str:
    module = function.__module__.removeprefix(_ROUTES).replace(".", "/")
    return f"/{module}/{function.__name__.rstrip('_')}"
