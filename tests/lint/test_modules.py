"""The house rules that a program can hold: size, words at the head, and who may know what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lint.source import PACKAGE, ROOT, modules, name, tree

SOURCE = modules(PACKAGE)
TESTS = [path for path in modules(ROOT / "tests") if path.name.startswith("test_")]
LONGEST = 400

#: Modules that catch everything, each because a supervisor must outlive what it supervises.
SUPERVISORS = {
    "engine/dispatch.py": "a bug in an action or a driver must still end its attempt",
    "api/server.py": "a bug in an endpoint must still be answered: 500 with a request id",
    "webhooks/deliver.py": "a bug in one webhook's lane must not end it for ever",
    "webhooks/record.py": "what could not be recorded is tried again: dropped, it would be forgotten",
    "engine/code_rounds.py": "a bug in a driver must not end the looks at its lock",
    "engine/link_life.py": "whatever a hub says must not end its link for ever",
    "engine/ledger.py": "whatever keeps an outcome from its record, it is tried again",
    "engine/supervised.py": "what looks after things must outlive whatever ails one of them, or the database",
    "webhooks/lane.py": "a bug about one event is a failure of that event and holds up no other",
    "storage/listener.py": "whatever ends its connection, it must hear again",
    "storage/reader.py": "its thread hands whatever a query raised to the caller who asked",
    "storage/writer.py": "its thread hands whatever an operation raised to the caller who asked",
}

#: Modules that may read the time, or make ids and chance, and which of the two sources they own.
TIME = {"domain/clock.py", "testing/clock.py"}
CHANCE = {"domain/ids.py"}


def inside(path: Path) -> str:
    """The module's place in the package."""
    return path.relative_to(PACKAGE).as_posix()


def imports(path: Path) -> Iterator[tuple[str, str | None]]:
    """What a module imports: (module, name or None)."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield each.name, None
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                yield node.module, each.name


@pytest.mark.parametrize("path", SOURCE + modules(ROOT / "tests"), ids=name)
def test_module_is_short_enough_to_read(path: Path):
    """A module has one reason to be opened, and at most 400 lines."""
    lines = len(path.read_text().splitlines())
    assert lines <= LONGEST, f"{name(path)} has {lines} lines: split it where its second reason begins"


@pytest.mark.parametrize("path", SOURCE, ids=inside)
def test_module_says_what_it_is(path: Path):
    """Every module of the package opens with a docstring."""
    assert ast.get_docstring(tree(path)), f"{inside(path)} has no docstring: say why one would open it"


@pytest.mark.parametrize("path", SOURCE, ids=inside)
def test_public_things_say_what_the_caller_gets(path: Path):
    """Every public class and function has a docstring, and so has every method of a protocol."""
    if "migrations/versions" in inside(path):
        return  # upgrade() and downgrade() are Alembic's, in each of them
    missing = []
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            missing += list(_undocumented(node, derived=False))
    assert not missing, f"{inside(path)}: no docstring at {missing}"


def _undocumented(
    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, *, derived: bool
) -> Iterator[str]:
    if node.name.startswith("_"):
        return
    # A method that implements a protocol is described there, once.
    if not derived and not ast.get_docstring(node):
        yield node.name
    if isinstance(node, ast.ClassDef):
        for each in node.body:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _undocumented(each, derived=not _is_protocol(node))


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "Protocol" for each in node.bases)


@pytest.mark.parametrize("path", SOURCE, ids=inside)
def test_time_has_one_source(path: Path):
    """The time is read and waited for in domain/clock.py only, so that a test can own it."""
    if inside(path) in TIME:
        return
    taken = set(imports(path))
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    wrong = {call for call in calls if call in {"datetime.now", "datetime.utcnow", "datetime.today"}}
    wrong |= {f"{module}.{each}" if each else module for module, each in taken if module == "time"}
    assert not wrong, f"{inside(path)} uses {sorted(wrong)}: take a Clock instead"


@pytest.mark.parametrize("path", SOURCE, ids=inside)
def test_chance_has_one_source(path: Path):
    """Ids and secrets are made in domain/ids.py only; virtual devices may use a seeded Random."""
    if inside(path) in CHANCE:
        return
    wrong = {module for module, _ in imports(path) if module in {"uuid", "uuid_utils", "secrets"}}
    uses = {ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    taken = {(module, each) for module, each in imports(path) if module == "random"}
    if taken:
        seeded = inside(path).startswith("drivers/virtual/")
        drawn = {use for use in uses if use.startswith("random.")} | {
            f"random.{each}" for _, each in taken if each
        }
        if not seeded or drawn - {"random.Random"}:
            wrong.add("random")
    assert not wrong, f"{inside(path)} uses {sorted(wrong)}: ids and chance come from domain/ids.py"


@pytest.mark.parametrize("path", SOURCE, ids=inside)
def test_sql_stays_in_storage(path: Path):
    """No module outside storage imports a database library or holds a statement."""
    if inside(path).startswith("storage/"):
        return
    libraries = {
        module
        for module, _ in imports(path)
        if module.split(".")[0] in {"sqlalchemy", "alembic", "psycopg", "sqlite3"}
    }
    statements = [
        node.value
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.lstrip().lower().startswith(("select ", "insert into ", "update ", "delete from "))
        and any(word in node.value.lower() for word in (" from ", " set ", " values", " where "))
        and "\n\n" not in node.value
    ]
    assert not libraries, f"{inside(path)} imports {sorted(libraries)}"
    assert not statements, f"{inside(path)} holds {statements}"


@pytest.mark.parametrize("path", SOURCE, ids=inside)
def test_everything_is_caught_by_supervisors_only(path: Path):
    """Only a named supervisor may catch every exception; elsewhere it would hide a bug."""
    broad = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        and ast.unparse(node.body[-1]) != "raise"
    ]
    allowed = inside(path) in SUPERVISORS
    assert allowed or not broad, f"{inside(path)} catches everything in lines {broad}"
    assert not allowed or broad, f"{inside(path)} supervises nothing any more: take it off the list"


@pytest.mark.parametrize("path", SOURCE, ids=inside)
def test_settings_are_read_in_one_place(path: Path):
    """No module reads the environment; settings are arguments."""
    uses = {ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    assert not uses & {"os.environ", "os.getenv"}, f"{inside(path)} reads the environment"


def test_each_supervisor_exists():
    """The list of supervisors names no module that is gone."""
    assert set(SUPERVISORS) <= {inside(path) for path in SOURCE}


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_every_test_states_a_behaviour(path: Path):
    """Every test function has a docstring of one sentence."""
    wrong = [
        node.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not (ast.get_docstring(node) or "").rstrip().endswith((".", "!", "?"))
    ]
    assert not wrong, f"{name(path)}: say in a sentence what holds, in {wrong}"
