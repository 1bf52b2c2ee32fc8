"""Connect webviews: made by a workspace, walked through by a person, ending in a connected account."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from weakref import WeakValueDictionary

from thumbturn.domain.access import Thing, told_of_arrival
from thumbturn.domain.clock import Clock
from thumbturn.domain.connect_webview import MOST_TRIES, VIRTUAL, ConnectWebview, Wishes
from thumbturn.domain.connected_account import ConnectedAccount, is_accepted
from thumbturn.domain.device import Device, added
from thumbturn.domain.errors import Refusal
from thumbturn.domain.event import Event
from thumbturn.domain.hub import HubLinkedAlready, HubSettingsWrong, TooManyHubsTried
from thumbturn.domain.ids import named_id, new_id
from thumbturn.domain.keys import new_webview_token
from thumbturn.domain.refusals import ConnectWebviewNotFound, TooManyConnectWebviews
from thumbturn.engine.access import Access
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.engine.engine import Engine
from thumbturn.engine.hub_offer import Link, Offer, new_device
from thumbturn.engine.hub_ports import HubDriver
from thumbturn.engine.hubs import Taking
from thumbturn.engine.ports import Store
from thumbturn.engine.sandbox_ports import SandboxWorld
from thumbturn.engine.secrets import sealed_for
from thumbturn.engine.webhook_ports import Seal

#: Client sessions may make them: not without end.
MOST_IN_A_WORKSPACE = 100_000


class Shown(NamedTuple):
    """A webview as it is shown to those who made it."""

    webview: ConnectWebview
    #: What its address has beside its id.
    token: str


class Arrival(NamedTuple):
    """What comes of a webview."""

    account: ConnectedAccount
    #: What it was before, if it was there.
    known: ConnectedAccount | None
    devices: Sequence[Device]
    things: tuple[Thing, ...]


class ConnectWebviews:
    """The connect webviews of all workspaces.

    ``ConnectWebviewNotFound`` is raised for what is not the given workspace's; to a person, for whatever
    his address does not fit.
    """

    def __init__(
        self, engine: Engine, *, store: Store, world: SandboxWorld, seal: Seal, clock: Clock
    ) -> None:
        self._store = store
        self._world = world
        self._accounts = engine.accounts
        self._moving = engine.moving
        self._labels = engine.labels
        self._seal = seal
        self._clock = clock
        #: Held while a person takes a step; gone when nobody does any more.
        self._stepping: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def hub_drivers(self) -> Mapping[str, HubDriver]:
        """The drivers whose hubs can be linked, by the names of their providers."""
        return self._accounts.hubs.drivers

    # of the workspace ---------------------------------------------------------------------------

    async def create(
        self,
        workspace_id: str,
        wishes: Wishes,
        *,
        custom_metadata: Mapping[str, str | bool],
        customer_key: str | None,
        session_id: str | None,
    ) -> Shown:
        """A new webview. Raises ``TooManyConnectWebviews``."""
        id, token = new_id(), new_webview_token()
        webview = ConnectWebview(
            id=id,
            workspace_id=workspace_id,
            token=self._seal.seal(token, _context(id)),
            wishes=wishes,
            custom_metadata=custom_metadata,
            customer_key=customer_key,
            created_at=self._clock.now(),
        )
        if not await self._store.webviews.add(webview, session_id, most=MOST_IN_A_WORKSPACE):
            raise TooManyConnectWebviews
        return Shown(webview, token)

    async def get(self, workspace_id: str, webview_id: str, among: Collection[str] | None = None) -> Shown:
        """One webview; of these, if it is said among which."""
        found = await self._store.webviews.get(workspace_id, webview_id)
        if found is None or (among is not None and webview_id not in among):
            raise ConnectWebviewNotFound
        return self.shown(found)

    def shown(self, webview: ConnectWebview) -> Shown:
        """A webview as it is shown to those who made it."""
        return Shown(webview, self._seal.open(webview.token, _context(webview.id)))

    async def delete(self, workspace_id: str, webview_id: str) -> None:
        """Forget a webview: its page is gone. An account that came of it stays."""
        if not await self._store.webviews.remove(workspace_id, webview_id):
            raise ConnectWebviewNotFound

    # of the person ------------------------------------------------------------------------------

    async def visit(self, webview_id: str, token: str) -> ConnectWebview:
        """The webview at this address."""
        found = await self._store.webviews.visited(webview_id)
        if found is None or not hmac.compare_digest(self.shown(found).token.encode(), token.encode()):
            raise ConnectWebviewNotFound
        return found

    def devices_of(self, webview: ConnectWebview) -> list[Device]:
        """What there is to connect behind the account that was signed in to."""
        if webview.hub is not None:
            return self._offered_by_hub(webview)[1]
        offered = self._world.account_things(webview.workspace_id, _account_id(webview), self._clock.now())
        kinds = webview.wishes.accepted_capabilities
        return [device for device in offered if is_accepted(device.capabilities, kinds)]

    async def choose(self, visited: ConnectWebview, provider: str) -> ConnectWebview:
        """Choose the provider to sign in to; the webview as it is then."""

        def choose(webview: ConnectWebview) -> ConnectWebview:
            if provider not in webview.offered:
                return webview
            return replace(webview, selected_provider=provider)

        return await self._step(visited, choose)

    async def go_back(self, visited: ConnectWebview) -> ConnectWebview:
        """Take the choice back, and whoever signed in."""

        def go_back(webview: ConnectWebview) -> ConnectWebview:
            return replace(webview, selected_provider=None, signed_in_as=None, hub=None)

        return await self._step(visited, go_back)

    async def sign_in(self, visited: ConnectWebview, email: str, password: str) -> ConnectWebview:
        """Sign in at the provider; ``signed_in_as`` says whether that was it. Too many wrong tries end it."""

        def sign_in(webview: ConnectWebview) -> ConnectWebview:
            if webview.selected_provider is None:
                return webview
            if self._world.lets_in(email, password):
                return replace(webview, signed_in_as=email)
            return _wrong(webview)

        return await self._step(visited, sign_in)

    async def link(self, visited: ConnectWebview, given: Mapping[str, str]) -> Refusal | None:
        """Try the hub that is reached like this, and keep it for the next step; why not, if it cannot be.

        A try that the hub did not answer as it should counts as a wrong password does: whoever has the
        address of the page must not search a network with it.
        """
        # Held while the hub is tried: many tries at once are one after the other, and each counts.
        async with self._lock(visited):
            webview = await self._again(visited)
            if webview.status != "pending" or webview.selected_provider is None:
                return None
            provider, problem = webview.selected_provider, None
            try:
                settings, facts = await self._accounts.hubs.look(webview.workspace_id, provider, given)
                known = await self._accounts.hubs.account_of(webview.workspace_id, provider, facts.hub_id)
                if known is not None:
                    await self._require(webview, known)
            except (HubSettingsWrong, TooManyHubsTried) as refusal:
                return refusal
            except Refusal as refusal:
                moved, problem = _wrong(webview), refusal
            else:
                offer = Offer(provider, settings, facts).sealed(webview.id, self._seal)
                moved = replace(webview, signed_in_as=facts.name, hub=offer)
            await self._move(moved)
            return problem

    async def give_up(self, visited: ConnectWebview) -> ConnectWebview:
        """End it without an account."""

        def give_up(webview: ConnectWebview) -> ConnectWebview:
            return replace(webview, status="failed")

        return await self._step(visited, give_up)

    async def finish(
        self, visited: ConnectWebview, chosen: Collection[str]
    ) -> tuple[ConnectWebview, frozenset[str]]:
        """Connect the account that was signed in to, with its devices, or those that were chosen by address.

        Nothing happens as long as none was. The webview as it is then, and the client sessions that reach
        the account from now on. Raises ``HubLinkedAlready`` for a hub that somebody else linked meanwhile;
        the person then is where he said how it is reached.
        """
        async with self._moving.alone(visited.workspace_id), self._lock(visited):
            webview = await self._again(visited)
            if webview.status != "pending" or webview.signed_in_as is None:
                return webview, frozenset()
            now = self._clock.now()
            try:
                arrived = await (self._home if webview.hub is None else self._hub)(webview, chosen)
            except HubLinkedAlready:
                await self._move(replace(_wrong(webview), signed_in_as=None, hub=None))
                raise
            if arrived is None:
                return webview, frozenset()
            account, known, devices, things = arrived
            done = replace(webview, status="authorized", connected_account_id=account.id, authorized_at=now)
            word = "completed_first_sync_after_reconnection" if known else "completed_first_sync"
            of_it = {"connect_webview_id": webview.id}
            told = [
                done.told("login_succeeded", now, account.id),
                *(() if known else (account.told("created", now, **of_it),)),
                account.told("connected", now, **of_it),
                account.told("successful_login", now, **of_it),
                *(added(device, now) for device in devices),
                *(told_of_arrival(each, now) for each in things),
                account.told(word, now),
            ]
            let_in = replace(account, disconnected_at=None)
            if account.disconnected_at is not None:
                told += await Access(self._store.access).told_of_link(let_in, now)
            if not known:
                self._labels.follow((account,))
            told = [*self._labels.on(told)]
            sessions = await self._store.webviews.finish(done, let_in, devices, told, things)
            if sessions is None:
                if not known:
                    self._labels.forget(webview.workspace_id, account.id)
                raise ConnectWebviewNotFound
            self._moving.move_in(devices)
            if let_in.hub is not None:
                self._accounts.hubs.follow(let_in)
        if known and let_in.hub is None:
            await self._accounts.let_in(account)
        return done, sessions

    # inside -------------------------------------------------------------------------------------

    async def _step(
        self, visited: ConnectWebview, step: Callable[[ConnectWebview], ConnectWebview]
    ) -> ConnectWebview:
        """Take a step from where the webview stands; none if it has ended."""
        async with self._lock(visited):
            webview = await self._again(visited)
            if webview.status != "pending":
                return webview
            moved = step(webview)
            if moved == webview:
                return webview
            return await self._move(moved)

    async def _move(self, moved: ConnectWebview) -> ConnectWebview:
        told: tuple[Event, ...] = ()
        if moved.status == "failed":
            told = (moved.told("login_failed", self._clock.now()),)
        if not await self._store.webviews.change(moved, told):
            return await self._again(moved)
        return moved

    def _lock(self, webview: ConnectWebview) -> asyncio.Lock:
        return self._stepping.setdefault(webview.id, asyncio.Lock())

    async def _again(self, visited: ConnectWebview) -> ConnectWebview:
        found = await self._store.webviews.visited(visited.id)
        if found is None:
            raise ConnectWebviewNotFound
        return found

    async def _home(self, webview: ConnectWebview, chosen: Collection[str]) -> Arrival | None:
        """What comes of signing in to a virtual home; ``None`` if nothing was chosen."""
        now = self._clock.now()
        wanted = AccountFilter(email=webview.signed_in_as)
        found = await self._store.accounts.listed(webview.workspace_id, wanted, limit=1)
        known = found[0] if found else None
        account = known or self._account(webview, now)
        devices = [] if known else self._chosen(webview, chosen)
        if not (known or devices):
            return None
        return Arrival(account, known, devices, self._access_of(webview, account, devices, now))

    async def _hub(self, webview: ConnectWebview, chosen: Collection[str]) -> Arrival | None:
        """What comes of a hub that answered, likewise. One without devices yet may be linked as a whole."""
        offer, _ = self._offered_by_hub(webview)
        hubs, facts = self._accounts.hubs, offer.facts
        known = await hubs.account_of(webview.workspace_id, offer.provider, facts.hub_id)
        if known is not None:
            await self._require(webview, known)
        picked = frozenset(device.address for device in self._chosen(webview, chosen))
        is_whole = webview.wishes.selection_mode == "none"
        if not (known or picked or is_whole):
            return None
        link = Link(offer.settings, None if is_whole else picked)
        account = hubs.account(webview.workspace_id, offer.provider, facts, link, known, _taking(webview))
        return Arrival(account, known, [] if known else hubs.devices_of(account, facts.found), ())

    async def _require(self, webview: ConnectWebview, known: ConnectedAccount) -> None:
        """Raise ``HubLinkedAlready`` unless who comes over this page has this hub already.

        Which hub it is, a hub says itself, and in Z-Wave everybody in radio range can hear that: it proves
        nothing. Else who says it would be sent the codes of somebody else's doors, or be given the doors.
        """
        if webview.customer_key and webview.customer_key == known.customer_key:
            return
        wanted = ClientSessionFilter(connect_webview_id=webview.id)
        theirs = await self._store.client_sessions.listed(
            webview.workspace_id, wanted, limit=MOST_IN_A_WORKSPACE
        )
        if not theirs or any(known.id not in each.connected_account_ids for each in theirs):
            raise HubLinkedAlready

    def _offered_by_hub(self, webview: ConnectWebview) -> tuple[Offer, list[Device]]:
        offer = Offer.opened(webview.id, webview.hub or "", self._seal)
        kinds = webview.wishes.accepted_capabilities
        found = Link(offer.settings).takes(offer.facts.found, kinds)
        account = replace(self._account(webview, 0), driver=offer.provider)
        return offer, [new_device(account, each, self._clock) for each in found]

    def _account(self, webview: ConnectWebview, now: int) -> ConnectedAccount:
        email = webview.signed_in_as or ""
        return ConnectedAccount(
            id=_account_id(webview),
            workspace_id=webview.workspace_id,
            driver=VIRTUAL,
            name=email,
            created_at=now,
            custom_metadata=webview.custom_metadata,
            customer_key=webview.customer_key,
            accepted_capabilities=webview.wishes.accepted_capabilities,
            manages_new_devices=webview.wishes.manages_new_devices,
            user_identifier={"email": email},
        )

    def _access_of(
        self, webview: ConnectWebview, account: ConnectedAccount, devices: Sequence[Device], now: int
    ) -> tuple[Thing, ...]:
        """The access control system that comes with the devices, where that is asked for."""
        if "access_control" not in webview.wishes.accepted_capabilities:
            return ()
        return self._world.account_access(account.id, devices, now)

    def _chosen(self, webview: ConnectWebview, chosen: Collection[str]) -> Sequence[Device]:
        devices = self.devices_of(webview)
        mode = webview.wishes.selection_mode
        if mode != "none":
            devices = [device for device in devices if device.address in chosen]
        if mode == "single":
            devices = devices[:1]
        manages = webview.wishes.manages_new_devices
        return [replace(device, is_managed=manages) for device in devices]


def _wrong(webview: ConnectWebview) -> ConnectWebview:
    """After a wrong try."""
    tries = webview.wrong_tries + 1
    return replace(webview, wrong_tries=tries, status="failed" if tries >= MOST_TRIES else webview.status)


def _taking(webview: ConnectWebview) -> Taking:
    return Taking(
        accepted_capabilities=webview.wishes.accepted_capabilities,
        manages_new_devices=webview.wishes.manages_new_devices,
        custom_metadata=webview.custom_metadata,
        customer_key=webview.customer_key,
    )


def _account_id(webview: ConnectWebview) -> str:
    # The same at each look, so that what the person chose is what he gets.
    return named_id(webview.id, "connected-account")


def _context(webview_id: str) -> str:
    return sealed_for("connect_webview", webview_id)
