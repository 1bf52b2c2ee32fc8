"""One file per action: what is asked, what it needs, how it is done, and what to do after a crash.

Every module here is imported at start; declaring an action is enough to make its route, its
documentation and its place in the tests. Two actions of one type are refused.
"""

from __future__ import annotations

import importlib
import pkgutil

from thumbturn.actions.definition import ACTIONS, WAYS, Action, Outcome, Run, Way

__all__ = ["ACTIONS", "WAYS", "Action", "Outcome", "Run", "Way", "load", "ways"]


def load() -> dict[str, Action]:
    """Every action there is, by its wire type."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return ACTIONS


def ways() -> dict[str, Way]:
    """Every way to every action, by its path."""
    load()
    return WAYS
