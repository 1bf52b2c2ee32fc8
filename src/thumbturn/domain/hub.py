"""Hubs: the boxes and programs in somebody's home that real devices are reached through.

A connected account of any ecosystem but the virtual one is one hub. What must be known to reach it is filled
in by a person, line by line (``Field``); what is behind it, it says itself (``Inventory``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from thumbturn.domain.errors import Refusal

#: Characters of one line of the form.
LONGEST_SETTING = 2_000

Settings = Mapping[str, str]


class HubSettingsWrong(Refusal, type="hub_settings_wrong", status=400):
    """The hub cannot be linked with these settings."""


class HubUnreachable(Refusal, type="hub_unreachable", status=400):
    """The hub does not answer at this address. Check that it runs, and that this machine can reach it."""


class HubLoginRefused(Refusal, type="hub_login_refused", status=400):
    """The hub does not accept this login."""


class HubNotUnderstood(Refusal, type="hub_not_understood", status=400):
    """What answers at this address is no such hub, or one of a version that cannot be used."""


class HubLinkedAlready(Refusal, type="hub_linked_already", status=400):
    """This hub is linked already. Whoever runs this place can say how it is reached from now on: with a key,
    at /thumbturn/hubs/link.
    """


class TooManyHubsTried(Refusal, type="too_many_hubs_tried", status=429):
    """A workspace tries at most 4 hubs at a time. Nothing was done: try again when one has answered."""


class ProviderHasNoHubs(Refusal, type="provider_has_no_hubs", status=400):
    """There is no such provider whose hubs could be linked."""


class SandboxHasNoHubs(Refusal, type="sandbox_has_no_hubs", status=400):
    """A sandbox has virtual devices only: link the hub in a workspace that is no sandbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A line of the form in which a person says how to reach his hub."""

    name: str
    #: What people read before it.
    label: str
    kind: Literal["url", "text", "secret"] = "text"
    is_required: bool = True
    #: What stands there before anything was filled in.
    default: str = ""
    #: Of an address: how it may begin.
    schemes: tuple[str, ...] = ()
    #: A sentence that helps.
    hint: str = ""


class Hub(NamedTuple):
    """A hub that is linked."""

    account_id: str
    workspace_id: str
    #: What it says of itself (``HubFacts``): who says something else at its address is another one.
    hub_id: str
    #: How it is reached, secrets among it in clear.
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A device behind a hub, as the hub describes it."""

    #: Its name at the hub that never changes.
    address: str
    name: str
    device_type: str
    capabilities: frozenset[str]
    #: As ``Device.details``.
    details: Mapping[str, Any] = field(default_factory=dict)
    #: What was read from the device itself just now; what a hub remembers is no such thing.
    state: Mapping[str, Any] = field(default_factory=dict)


class Inventory(NamedTuple):
    """All that is behind a hub now."""

    account_id: str
    found: tuple[Found, ...]


class ShutOut(NamedTuple):
    """A hub that was linked has refused the login that it was linked with."""

    account_id: str


#: What is told of a hub that is followed.
Told = Inventory | ShutOut


class HubFacts(NamedTuple):
    """What a hub said of itself when it was tried."""

    #: Tells it from all other hubs of its ecosystem, at whatever address it is.
    hub_id: str
    #: What to call it.
    name: str
    found: tuple[Found, ...]


def checked_settings(fields: Iterable[Field], given: Mapping[str, str]) -> dict[str, str]:
    """The settings in the order of the form, with what it has where nothing was given.

    Raises ``HubSettingsWrong``, which says of which line and why, and never what was given.
    """
    known = {each.name: each for each in fields}
    for name in given:
        if name not in known:
            raise HubSettingsWrong(f"There is no setting {name[:40]!r}. There are: {', '.join(known)}.")
    settings = {}
    for name, each in known.items():
        text = given.get(name, "").strip() if each.kind != "secret" else given.get(name, "")
        text = text or each.default
        if text:
            _check(each, text)
            settings[name] = text
        elif each.is_required:
            raise HubSettingsWrong(f"{each.label} is missing.", data={"setting": name})
    return settings


def _check(line: Field, text: str) -> None:
    problem = ""
    if len(text) > LONGEST_SETTING or not text.isprintable():
        problem = f"{line.label} must be one line of at most {LONGEST_SETTING:,} characters."
    elif line.kind == "url":
        problem = _problem_of_url(line, text)
    if problem:
        raise HubSettingsWrong(problem, data={"setting": line.name})


def _problem_of_url(line: Field, text: str) -> str:
    begins = " or ".join(f"{scheme}://" for scheme in line.schemes)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return f"{line.label} is no address. It begins with {begins}."
    if parts.scheme not in line.schemes or not parts.hostname or " " in text or port == 0:
        return f"{line.label} is no address. It begins with {begins}, then a name or an IP address."
    if parts.username is not None or parts.password is not None:
        return f"{line.label} must not hold a login: it is shown to people."
    return ""
