"""Beginning in a world: which databases, folders and addresses it takes, and how it fills an unused one."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from thumbturn.api.server import create_app
from thumbturn.api.surroundings import Surroundings
from thumbturn.credentials import read_credentials, write_credentials
from thumbturn.domain.audit import Act
from thumbturn.domain.clock import Clock
from thumbturn.domain.ids import new_id
from thumbturn.domain.keys import mint_api_key, mint_personal_access_token
from thumbturn.domain.workspace import Workspace
from thumbturn.drivers.virtual import seeds
from thumbturn.drivers.virtual.beginnings import Beginnings
from thumbturn.engine.cells import Cells, alone
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store
from thumbturn.engine.webhook_ports import Seal
from thumbturn.sealing import FILE_NAME as KEY_FILE
from thumbturn.settings import Settings
from thumbturn.storage.backup import JOURNAL
from thumbturn.worlds.fake_seam_connect.facts import HOME, NAME, PERSON, facts

if TYPE_CHECKING:
    from thumbturn.api.fake.outages import Application

_ITS_TOKENS = ("seam_apikey1_token", "seam_at1_token")


class AnotherWorld(Exception):
    """The database or the data folder belongs to another world than the one that was asked for."""


class OpenToStrangers(Exception):
    """A world whose tokens everybody knows was to be served to other machines."""


@contextmanager
def settled_in(settings: Settings) -> Iterator[Settings]:
    """The settings as they are for their world, inside the block.

    In the world ``fake-seam-connect`` missing parameters are put into words as the fake does, unless it was
    said how. Where nobody said where to keep it, it works in a new folder that is gone afterwards: there
    every start begins anew, as with the fake itself.
    """
    if settings.world != NAME:
        yield settings
        return
    if "error_wording" not in settings.model_fields_set:
        settings = settings.model_copy(update={"error_wording": "current"})
    if settings.model_fields_set & {"data", "database_url"}:
        yield settings
        return
    with TemporaryDirectory(prefix="thumbturn-") as folder:
        yield settings.model_copy(update={"data": type(settings.data)(folder) / "data"})


def require_loopback(settings: Settings, listening: socket.socket) -> None:
    """Return if this address may be listened on. Raises ``OpenToStrangers``."""
    address = ipaddress.ip_address(listening.getsockname()[0])
    if settings.world != NAME or settings.listen_anywhere or address.is_loopback:
        return
    raise OpenToStrangers(
        f"The world {NAME} has tokens that everybody knows, and its /_fake routes ask for none: it listens "
        f"on this machine only, and {settings.host} is seen by others. To serve it there all the same, say "
        "--listen-anywhere."
    )


async def require_world(settings: Settings, store: Store) -> None:
    """Return if the database and the data folder are unused, or of the world that is set.

    A folder says whose it is by its ``credentials.json``. Without that one with a key or with what devices
    did is of a world that went before, and not of the fake's, which says so first (``claim_folder``).

    Nothing is written. Raises ``AnotherWorld``.
    """
    is_fake = settings.world == NAME
    has_home = await store.workspace(HOME) is not None
    if is_fake and not has_home and await store.has_workspaces():
        raise AnotherWorld(_refusal("The database", f"holds something else than the world {NAME}"))
    if not is_fake and has_home:
        raise AnotherWorld(
            _refusal("The database", f"holds the world {NAME}, and nothing else belongs there")
        )
    before = read_credentials(settings.data).get("workspace_id")
    if before is not None and (before == HOME) != is_fake:
        held = NAME if before == HOME else "another"
        raise AnotherWorld(_refusal(f"The folder {settings.data}", f"was used by the world {held}"))
    if is_fake and not has_home and before is None and (left := _left_in(settings)):
        raise AnotherWorld(_refusal(f"The folder {settings.data}", f"holds {left} of another world"))


def claim_folder(settings: Settings) -> None:
    """Have the folder say that it is of the fake's world, where that is set: before anything is in it.

    A first start that was cut off can so go on where it was.
    """
    if settings.world == NAME and "workspace_id" not in read_credentials(settings.data):
        write_credentials(settings.data, {"workspace_id": HOME})


def beginnings_of(settings: Settings) -> Beginnings:
    """How the virtual world begins in the world that is set."""
    if settings.world != NAME:
        return seeds
    # Who is in another world does not wait for this one to load.
    from thumbturn.worlds.fake_seam_connect import things

    return things


async def open_world(
    settings: Settings, store: Store, cells: Cells, seal: Seal, clock: Clock
) -> dict[str, str]:
    """Fill an unused database; its tokens, or nothing for one that has been used."""
    if settings.world == NAME:
        from thumbturn.worlds.fake_seam_connect.planting import plant

        await plant(store, alone(cells).engine, seal, clock)
        api_key, access_token = (facts()["seed"][name] for name in _ITS_TOKENS)
        return {"workspace_id": HOME, "api_key": api_key, "personal_access_token": access_token}
    if await store.has_workspaces():
        return {}
    return await _first_workspace(store, cells, clock, is_sandbox=settings.world == "sandbox")


def application_of(settings: Settings, surroundings: Surroundings) -> Application:
    """The ASGI application that speaks for this surroundings in the world that is set."""
    if settings.world != NAME:
        return create_app(surroundings)
    from thumbturn.api.fake.app import create_fake_app
    from thumbturn.api.fake.world import FakeFacts

    known = facts()
    ids = [each["id"] for each in known["workspaces"]]
    return create_fake_app(
        surroundings,
        FakeFacts(seed=known["seed"], workspace_ids=ids, person_id=PERSON, password=seeds.PASSWORD),
    )


async def _first_workspace(store: Store, cells: Cells, clock: Clock, *, is_sandbox: bool) -> dict[str, str]:
    now = clock.now()
    id, engine = _at_home(cells)
    workspace = Workspace(
        id=id,
        name="Sandbox" if is_sandbox else "Home",
        company_name="thumbturn",
        is_sandbox=is_sandbox,
        created_at=now,
    )
    owner = new_id()
    api_key = mint_api_key(workspace, "first key", now)
    access_token = mint_personal_access_token(owner, "first token", now)
    await engine.add_workspace(workspace, user_id=owner, keys=[api_key.key, access_token.key])
    made = {"workspace_id": workspace.id, "key_ids": [api_key.key.id, access_token.key.id]}
    await store.record(Act(workspace.id, now, "/workspaces/create", None, made, {"is_sandbox": is_sandbox}))
    return {
        "workspace_id": workspace.id,
        "api_key": api_key.token,
        "personal_access_token": access_token.token,
    }


def _at_home(cells: Cells) -> tuple[str, Engine]:
    """An id for a new workspace in one of the cells whose engine runs here, and that engine."""
    here = {cell.number: cell.engine for cell in cells.here()}
    while True:
        id = new_id()
        if (engine := here.get(cells.cell_of(id))) is not None:
            return id, engine


def _left_in(settings: Settings) -> str:
    """The name of something in the folder that a server left there; ``""`` if there is nothing."""
    if (settings.data / KEY_FILE).exists():
        return KEY_FILE
    journal = settings.data / JOURNAL
    return JOURNAL if journal.exists() and journal.stat().st_size else ""


def _refusal(what: str, why: str) -> str:
    return f"{what} {why}. Give this server a data folder (--data) or a database of its own."
