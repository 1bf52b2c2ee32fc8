"""Sealed secrets on record: which key they need, and how a key is changed."""

from __future__ import annotations

import ast
import base64
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, Text, select

import thumbturn
from tests.fixtures.stores import NOON
from thumbturn.domain.access import AcsCredential
from thumbturn.domain.client_session import ClientSession
from thumbturn.domain.connect_webview import ConnectWebview
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.ids import random_bytes
from thumbturn.domain.webhook import Webhook
from thumbturn.engine import secrets
from thumbturn.engine.pins import open_pins
from thumbturn.engine.ports import Store
from thumbturn.engine.secrets import KeptSecret, SecretsLocked, open_seal, sealed_for
from thumbturn.engine.webhooks import sealing_context
from thumbturn.sealing import FILE_NAME, KeyUnusable, Seal, kept_key
from thumbturn.storage.secret_text import SecretText, secret_columns
from thumbturn.storage.store import SqlStore
from thumbturn.storage.tables import metadata

OLD, NEW = random_bytes(32), random_bytes(32)


def written(*keys: bytes) -> str:
    """Keys as the setting has them."""
    return ",".join(base64.b64encode(key).decode() for key in keys)


async def keep(store: Store, seal: Seal, id: str, *, rotated: bool = False) -> None:
    """A webhook whose secret is ``secret of <id>``; of a rotated one the secret before ends on ``before``."""

    def sealed(text: str) -> str:
        return seal.seal(text, sealing_context(id))

    first = sealed(f"secret of {id}" + (" before" if rotated else ""))
    webhook = Webhook(
        id=id, workspace_id="w1", url="https://a.test/", event_types=("*",), secret=first, created_at=NOON
    )
    await store.webhooks.add(webhook)
    if rotated:
        await store.webhooks.rotate("w1", id, sealed(f"secret of {id}"), NOON)


def a_credential(seal: Seal) -> AcsCredential:
    """A credential with a sealed code."""
    return AcsCredential(
        id="c1",
        workspace_id="w1",
        created_at=NOON,
        acs_system_id="s1",
        connected_account_id="w1_account",
        access_method="code",
        code=seal.seal("4815", sealed_for("acs_credential", "c1")),
    )


def a_session(seal: Seal) -> ClientSession:
    """A client session whose token is ``seam_cst_1``."""
    token = seal.seal("seam_cst_1", sealed_for("client_session", "s1"))
    return ClientSession(id="s1", workspace_id="w1", token_hash="hash", token=token)


async def opened(store: Store, seal: Seal) -> dict[str, list[str]]:
    """What every secret on record says."""
    return {
        each.id: [
            seal.open(text, sealing_context(each.id)) for text in (each.secret, each.previous_secret) if text
        ]
        for each in await store.webhooks.of_workspace("w1")
    }


async def test_secrets_of_another_key_are_found(store: Store):
    """All sealed secrets that do not begin with the key's name are found, the ones before a rotation, too."""
    old, new = Seal([OLD]), Seal([NEW])
    await keep(store, old, "h1", rotated=True)
    await keep(store, new, "h2")
    found = await store.secrets.others(new.beginning, limit=10)
    assert {(each.kind, each.id, each.field) for each in found} == {
        ("webhook", "h1", "secret"),
        ("webhook", "h1", "previous_secret"),
    }
    assert {old.open(each.sealed, each.context) for each in found} == {"secret of h1", "secret of h1 before"}
    assert len(await store.secrets.others(None, limit=10)) == 3
    assert len(await store.secrets.others(None, limit=2)) == 2


async def test_secret_that_changed_meanwhile_is_left_alone(store: Store):
    """A secret is replaced only if it is still what was read."""
    seal = Seal([OLD])
    await keep(store, seal, "h1")
    [read] = await store.secrets.others(None, limit=10)
    await store.webhooks.rotate("w1", "h1", "rotated", NOON)
    await store.secrets.replace([(read, "too late")])
    webhook = await store.webhooks.get("w1", "h1")
    assert webhook is not None
    assert (webhook.secret, webhook.previous_secret) == ("rotated", read.sealed)


async def test_first_start_makes_a_key(store: Store, tmp_path: Path):
    """Where nothing is sealed and no key is given, the folder gets one; later starts use it."""
    seal = await open_seal(store.secrets, None, tmp_path)
    assert kept_key(tmp_path) is not None
    await keep(store, seal, "h1")
    again = await open_seal(store.secrets, None, tmp_path)
    assert await opened(store, again) == {"h1": ["secret of h1"]}


async def test_tokens_of_client_sessions_are_sealed_anew_too(store: Store, tmp_path: Path):
    """A start with the new key before the old one opens and seals the tokens of client sessions anew."""
    old = Seal([OLD])
    await store.client_sessions.add(a_session(old), most=1)
    with pytest.raises(SecretsLocked, match="not among those given"):
        await open_seal(store.secrets, written(NEW), tmp_path)
    seal = await open_seal(store.secrets, written(NEW, OLD), tmp_path)
    assert await store.secrets.others(seal.beginning, limit=1) == []
    renewed = await store.client_sessions.get("w1", "s1")
    assert renewed is not None
    assert Seal([NEW]).open(renewed.token, sealed_for("client_session", "s1")) == "seam_cst_1"


async def test_given_key_makes_no_file(store: Store, tmp_path: Path):
    """With a key in the setting nothing is written into the folder."""
    await open_seal(store.secrets, written(NEW), tmp_path)
    assert kept_key(tmp_path) is None


async def test_missing_key_is_said(store: Store, tmp_path: Path):
    """With secrets on record and no key, the start is refused, and no new key is made in the folder."""
    await keep(store, Seal([OLD]), "h1")
    with pytest.raises(SecretsLocked, match="No encryption key is there") as problem:
        await open_seal(store.secrets, None, tmp_path)
    assert str(tmp_path / FILE_NAME) in str(problem.value)
    assert kept_key(tmp_path) is None


async def test_wrong_key_is_said(store: Store, tmp_path: Path):
    """With a key that does not open the secrets the start is refused; nothing is changed, no key is shown."""
    await keep(store, Seal([OLD]), "h1")
    with pytest.raises(SecretsLocked, match="THUMBTURN_ENCRYPTION_KEY") as problem:
        await open_seal(store.secrets, written(NEW), tmp_path)
    assert written(NEW) not in str(problem.value)
    assert await opened(store, Seal([OLD])) == {"h1": ["secret of h1"]}


async def test_secret_from_another_row_is_said(store: Store, tmp_path: Path):
    """A secret that was copied from another webhook's row does not pass for its own when keys change."""
    await keep(store, Seal([OLD]), "h1")
    [secret] = await store.secrets.others(None, limit=1)
    await keep(store, Seal([OLD]), "h2")
    await store.webhooks.rotate("w1", "h2", secret.sealed, NOON)
    with pytest.raises(SecretsLocked, match="belongs elsewhere"):
        await open_seal(store.secrets, written(NEW, OLD), tmp_path)


async def test_key_is_changed_by_a_start_with_both(store: Store, tmp_path: Path, monkeypatch):
    """A start with the new key before the old one seals everything anew; after it the old one may go."""
    monkeypatch.setattr(secrets, "_AT_A_TIME", 2)
    for number in range(5):
        await keep(store, Seal([OLD]), f"h{number}", rotated=number % 2 == 0)
    before = await opened(store, Seal([OLD]))
    await open_seal(store.secrets, written(NEW, OLD), tmp_path)
    seal = await open_seal(store.secrets, written(NEW), tmp_path)
    assert await opened(store, seal) == before
    assert await store.secrets.others(seal.beginning, limit=1) == []


async def test_key_in_the_folder_opens_beside_a_given_one(store: Store, tmp_path: Path):
    """Who moves from the file to the setting needs the file for one start more."""
    await keep(store, await open_seal(store.secrets, None, tmp_path), "h1")
    await open_seal(store.secrets, written(NEW), tmp_path)
    (tmp_path / FILE_NAME).unlink()
    assert await opened(store, await open_seal(store.secrets, written(NEW), tmp_path)) == {
        "h1": ["secret of h1"]
    }


async def test_unreadable_key_is_said(store: Store, tmp_path: Path):
    """A setting that holds no key is refused before anything is looked at."""
    with pytest.raises(KeyUnusable):
        await open_seal(store.secrets, "no key", tmp_path)


def test_secret_is_sealed_for_its_own_webhook():
    """What seals a webhook's secret and what changes its key agree on what it is for."""
    assert KeptSecret("webhook", "h1", "secret", "").context == sealing_context("h1")


def kinds_in_source() -> set[str]:
    """What secrets are sealed for, wherever that is."""
    found = set()
    for path in (Path(thumbturn.__file__).parent).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sealed_for"):
                kind = node.args[0]
                if isinstance(kind, ast.Constant):
                    found.add(kind.value)
    return found


def test_whatever_is_sealed_has_a_column_that_says_so():
    """A kind of secret without a column of the type would not be sealed anew when the key is changed."""
    assert {each.kind for each in secret_columns(metadata)} == kinds_in_source()


async def test_what_is_sealed_stands_in_no_other_column(sql_store: SqlStore):
    """With a secret of every kind on record, each text that looks sealed is in a column that says so."""
    seal = Seal([OLD])
    await keep(sql_store, seal, "h1", rotated=True)
    sealed = seal.seal("x", "connect_webview:v1")
    webview = ConnectWebview(id="v1", workspace_id="w1", token=sealed, hub=sealed)
    await sql_store.webviews.add(webview, None, most=1)
    hub = seal.seal("x", "connected_account:a9")
    account = ConnectedAccount(id="a9", workspace_id="w1", driver="zwave_js", name="Hub", hub=hub)
    await sql_store.accounts.link(account, [], [])
    await sql_store.client_sessions.add(a_session(seal), most=1)
    await open_pins(sql_store.access_codes, seal)
    await sql_store.access.add(a_credential(seal))
    kinds = {each.kind for each in await sql_store.secrets.others(None, limit=100)}
    assert kinds == kinds_in_source(), "keep one of the new kind here, too"
    secret = {(each.table.name, each.column.name) for each in secret_columns(metadata)}

    def sealed_in(connection: Connection) -> set[tuple[str, str]]:
        return {
            (table.name, column.name)
            for table in metadata.sorted_tables
            for column in table.columns
            if isinstance(column.type, Text | SecretText)
            for (value,) in connection.execute(select(column).where(column.is_not(None)))
            if value.startswith(seal.beginning)
        }

    assert await sql_store._read(sealed_in) == secret


def test_a_secret_needs_an_id_to_be_found_by():
    """A column with secrets in a table without an id is refused before anything is written to it."""
    made = MetaData()
    Table("hubs", made, Column("name", Text, primary_key=True), Column("password", SecretText("hub")))
    with pytest.raises(TypeError, match=r"hubs\.password is secret"):
        list(secret_columns(made))
