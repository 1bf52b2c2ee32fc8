"""Tables for the docs, each derived from the definitions that the server itself uses."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable

from pydantic import SecretStr

import thumbturn
from thumbturn.actions import Action, load, ways
from thumbturn.api.headers import OF_REPLIES, OF_REQUESTS, Known
from thumbturn.api.metric_kinds import METRICS
from thumbturn.api.table import endpoints
from thumbturn.domain.clock import SECOND
from thumbturn.domain.errors import FAILURES, REFUSALS
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.workspace import KeyKind
from thumbturn.settings import Settings
from tools.fake_differences import MEANT


def evidence() -> str:
    """The grades of evidence, weakest first."""
    comments = _comments_above(Evidence)
    return _table(
        ("grade", "what is known", "`was_confirmed_by_device`"),
        (
            (f"`{grade.word}`", comments[grade.name], "true" if grade.confirms else "false")
            for grade in Evidence
        ),
    )


def actions() -> str:
    """Every action: its endpoints, its deadline and its policies."""
    rows = (
        (
            f"`{action.type}`",
            ", ".join(f"`{path}`" for path in _paths(action)),
            action.summary,
            f"{action.deadline // SECOND} s",
            f"`{action.after_crash.name}`",
            f"`{action.when_offline.name}`",
        )
        for action in sorted(load().values(), key=lambda action: action.at)
    )
    return _table(
        ("action type", "endpoint", "what it does", "deadline", "after a crash", "if offline"), rows
    )


def _paths(action: Action) -> list[str]:
    return [way.path for way in ways().values() if way.type == action.type] or [action.at]


def failures() -> str:
    """The causes for which an attempt ends in ``error``."""
    _import_everything()
    rows = (
        (f"`{type_}`", failure.sentence, "it may have" if failure.may_have_acted else "no", failure.advice)
        for type_, failure in sorted(FAILURES.items())
    )
    return _table(
        ("`error.type`", "`error.message` begins with", "did the device act?", "what to do next"), rows
    )


def refusals() -> str:
    """The reasons for which a request is refused and no attempt begins."""
    _import_everything()
    rows = (
        (str(refusal.status), f"`{type_}`", refusal.sentence)
        for type_, refusal in sorted(REFUSALS.items(), key=lambda item: (item[1].status, item[0]))
    )
    return _table(("status", "`error.type`", "`error.message`, unless it is more exact"), rows)


def fake_differences() -> str:
    """In what the answers differ from those of Seam's fake, in its world."""
    return _table(("difference", "why"), ((each.what, each.why) for each in MEANT))


def sessions() -> str:
    """The endpoints that client sessions may call."""
    open_ones = [each for each in endpoints().values() if KeyKind.CLIENT_SESSION in each.open_to]
    rows = ((f"`{each.path}`", each.summary) for each in open_ones)
    return _table(("endpoint", "what it does, of what the session reaches"), rows)


def settings() -> str:
    """Every setting: its flag, its variable, its default and its meaning."""
    prefix = Settings.model_config["env_prefix"]
    rows = (
        (
            # What comes from the command line can be seen by every user of the machine.
            "" if field.annotation == SecretStr | None else f"`--{name.replace('_', '-')}`",
            f"`{prefix}{name.upper()}`",
            "" if field.default in (None, "") else f"`{field.default}`",
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    )
    return _table(("flag", "variable", "default", "meaning"), rows)


def metrics() -> str:
    """Every metric of ``/metrics`` that is the server's own."""
    rows = (
        (f"`{kind.name}`", kind.type, ", ".join(f"`{label}`" for label in kind.labels), kind.meaning)
        for kind in METRICS.values()
    )
    return _table(("metric", "type", "labels", "meaning"), rows)


def request_headers() -> str:
    """Every header of a request that says more than who asks."""
    return _headers("header of a request", OF_REQUESTS)


def reply_headers() -> str:
    """Every header of a reply that is not about its body."""
    return _headers("header of a reply", OF_REPLIES)


def _headers(head: str, known: Iterable[Known]) -> str:
    rows = (
        (f"`{each.name}`", each.meaning + (f" [More]({each.page})." if each.page else "")) for each in known
    )
    return _table((head, "meaning"), rows)


def _import_everything() -> None:
    """A refusal or a failure is known once its module is imported, wherever that is."""
    for module in pkgutil.walk_packages(thumbturn.__path__, "thumbturn."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)


def _comments_above(enum: type) -> dict[str, str]:
    """What the ``#:`` comment above each member of an enumeration says."""
    pairs = re.findall(r"#: ([^\n]+)\n\s+(\w+) =", inspect.getsource(enum))
    return {member: comment for comment, member in pairs}


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
