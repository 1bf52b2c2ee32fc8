"""The application of the world of Seam's fake: the API, ``/_fake`` beside it, and outages before both."""

from __future__ import annotations

from thumbturn.api.callers import Callers
from thumbturn.api.descriptions import descriptions
from thumbturn.api.fake.console import WithConsoleSessions
from thumbturn.api.fake.database import Database
from thumbturn.api.fake.endpoints import fake_endpoints
from thumbturn.api.fake.outages import Application, WithOutages
from thumbturn.api.fake.world import FakeFacts, FakeWorld
from thumbturn.api.server import Api
from thumbturn.api.surroundings import Surroundings
from thumbturn.api.table import endpoints
from thumbturn.domain.ids import new_id
from thumbturn.engine.cells import alone
from thumbturn.engine.notices import Silence


def create_fake_app(surroundings: Surroundings, facts: FakeFacts) -> Application:
    """The ASGI application that speaks for this surroundings in that world."""
    store, clock, cell = surroundings.store, surroundings.clock, alone(surroundings.cells)
    engine, webviews = cell.engine, cell.connect_webviews
    world = FakeWorld(facts, store=store, engine=engine, webviews=webviews, clock=clock)
    rows = Database(
        facts,
        store=store,
        engine=engine,
        sessions=surroundings.client_sessions,
        webviews=webviews,
        clock=clock,
    )
    table = {**endpoints(), **fake_endpoints()}
    api = Api(surroundings, table, descriptions(), {FakeWorld: world, Database: rows}, _new_request_id)
    return WithConsoleSessions(
        WithOutages(api, world.outages, Callers(store, clock, Silence())), facts, clock
    )


def _new_request_id() -> str:
    # So begin those of the fake, and its users' tests go by that.
    return f"request-{new_id()}"
