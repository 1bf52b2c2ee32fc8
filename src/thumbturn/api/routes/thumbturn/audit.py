"""``/thumbturn/audit``: the trail of all that was done in the workspace."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing
from thumbturn.api.wire.audit import AuditEntry, AuditHead, entry_json, head_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.engine.ports import Store


@endpoint({"entries": list[AuditEntry], "head": AuditHead, "waiting": int, "pagination": Pagination})
async def list_(ask: Listing, caller: Caller, store: Store, pages: Pages) -> Answer:
    """Lists the audit trail from its beginning, with the seals that chain its entries.

    ``head`` is the newest entry of the whole trail, and ``waiting`` how many acts are on record and
    not in the chain yet.
    """
    after = 0 if pages.after is None else pages.after[0]
    trail = await store.trail(caller.workspace.id, after=after, limit=ask.most + 1)
    page, pagination = pages.turn(trail.entries, ask.most, lambda entry: (entry.number, ""))
    return {
        "entries": [entry_json(entry) for entry in page],
        "head": head_json(trail.head),
        "waiting": trail.waiting,
        "pagination": pagination,
    }
