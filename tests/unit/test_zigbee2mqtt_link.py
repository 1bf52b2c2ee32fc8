"""Linking a Zigbee2MQTT: what a person is told who gets the address, the login or the certificate wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fixtures.mqtt_broker import MqttBroker
from tests.fixtures.zigbee2mqtt import COORDINATOR, FakeZigbee2Mqtt
from thumbturn.domain.clock import SystemClock
from thumbturn.domain.hub import (
    Hub,
    HubLoginRefused,
    HubNotUnderstood,
    HubSettingsWrong,
    HubUnreachable,
    Inventory,
    ShutOut,
    Told,
    checked_settings,
)
from thumbturn.drivers.zigbee2mqtt import driver as driver_module
from thumbturn.drivers.zigbee2mqtt.driver import Zigbee2MqttDriver
from thumbturn.engine.pins import new_pins


def settings_of(url: str, **more: str) -> dict[str, str]:
    """The form as a person fills it in."""
    return checked_settings(Zigbee2MqttDriver.fields, {"url": url, **more})


@pytest.fixture
def driver() -> Zigbee2MqttDriver:
    return Zigbee2MqttDriver(SystemClock(), new_pins())


@pytest.fixture
async def hub():
    hub = FakeZigbee2Mqtt(MqttBroker(login=("thumbturn", "right")))
    await hub.start()
    yield hub
    await hub.stop()


async def test_a_hub_says_what_it_is(hub, driver):
    """It is known by its coordinator, whatever its address; only what can be honest is taken of it."""
    facts = await driver.look(settings_of(hub.address, username="thumbturn", password="right"))
    assert facts.hub_id == COORDINATOR
    assert {each.name: each.device_type for each in facts.found} == {
        "front_door": "zigbee_lock",
        "hall": "zigbee_thermostat",
        "back_door": "zigbee_lock",
    }


@pytest.mark.parametrize("login", [{}, {"username": "thumbturn", "password": "wrong"}], ids=["none", "wrong"])
async def test_a_wrong_login_is_called_one(hub, driver, login):
    """With no login, or a wrong one, the person is told that it is the login."""
    with pytest.raises(HubLoginRefused, match="user name and password"):
        await driver.look(settings_of(hub.address, **login))


async def test_a_login_that_is_refused_later_is_told(hub, driver):
    """Somebody changes the broker's password: the next connection tells it, and the one after it."""
    told: list[Told] = []
    await driver.start(lambda seen: None)
    settings = settings_of(hub.address, username="thumbturn", password="right")
    try:
        driver.follow(Hub("account", "workspace", COORDINATOR, settings), told.append)
        await until(lambda: any(isinstance(each, Inventory) for each in told))
        hub.broker._login = ("thumbturn", "another")
        hub.broker.cut()
        await until(lambda: ShutOut("account") in told)
        told.clear()
        hub.broker._login = ("thumbturn", "right")
        await until(lambda: any(isinstance(each, Inventory) for each in told))
    finally:
        await driver.stop()


async def until(is_so: Callable[[], bool]) -> None:
    """Return when it is so."""
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_an_address_where_nobody_is_is_called_one(hub, driver):
    """A broker that does not run is not reached."""
    await hub.stop_broker()
    with pytest.raises(HubUnreachable, match="No broker answers"):
        await driver.look(settings_of(hub.address))


async def test_another_base_topic_is_nobody(hub, driver, monkeypatch):
    """The broker answers and no Zigbee2MQTT does: it is said below which topic it was looked for."""
    monkeypatch.setattr(driver_module, "_KEPT_WITHIN", 0.2)
    given = settings_of(hub.address, username="thumbturn", password="right", base_topic="elsewhere")
    with pytest.raises(HubNotUnderstood, match="'elsewhere'"):
        await driver.look(given)


async def test_a_hub_that_is_away_is_said_to_be(hub, driver, monkeypatch):
    """The broker answers and says that Zigbee2MQTT is offline."""
    monkeypatch.setattr(driver_module, "_KEPT_WITHIN", 0.2)
    await hub.stop_hub()
    with pytest.raises(HubNotUnderstood, match="start it first"):
        await driver.look(settings_of(hub.address, username="thumbturn", password="right"))


async def test_a_broker_that_forgot_is_said_to_have(hub, driver, monkeypatch):
    """It was restarted and has kept nothing: only a restart of Zigbee2MQTT has it all said again."""
    monkeypatch.setattr(driver_module, "_KEPT_WITHIN", 0.2)
    await hub.stop_broker()
    await hub.start_broker()
    with pytest.raises(HubNotUnderstood, match="restart Zigbee2MQTT"):
        await driver.look(settings_of(hub.address, username="thumbturn", password="right"))


@pytest.mark.parametrize(
    ("url", "more", "says"),
    [
        ("mqtt://localhost", {"base_topic": "zigbee2mqtt/#"}, "base topic"),
        ("mqtt://localhost", {"base_topic": "/zigbee2mqtt"}, "base topic"),
        ("mqtts://localhost", {"certificate_sha256": "12:34"}, "64 hexadecimal digits"),
        ("mqtt://localhost", {"certificate_sha256": "ab" * 32}, "mqtts://"),
    ],
)
async def test_settings_that_cannot_be_are_refused(driver, url, more, says):
    """Before anything is connected to, the line at fault is named."""
    with pytest.raises(HubSettingsWrong, match=says):
        await driver.look(settings_of(url, **more))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that a broker's owner made himself, and its SHA-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("broker") / "broker.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path, hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()


@pytest.fixture
async def encrypted(certificate):
    """A hub whose broker speaks TLS only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[0])
    hub = FakeZigbee2Mqtt(MqttBroker(tls=context))
    await hub.start()
    yield hub
    await hub.stop()


async def test_a_certificate_of_one_s_own_is_named(encrypted, driver, certificate):
    """By its SHA-256, with or without colons; then nothing else is trusted."""
    url = f"mqtts://127.0.0.1:{encrypted.broker.port}"
    digest = certificate[1]
    colons = ":".join(digest[at : at + 2] for at in range(0, 64, 2)).upper()
    for given in (digest, colons):
        assert (await driver.look(settings_of(url, certificate_sha256=given))).hub_id == COORDINATOR
    with pytest.raises(HubUnreachable, match="another certificate"):
        await driver.look(settings_of(url, certificate_sha256="ab" * 32))


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(encrypted, driver):
    """Neither by itself, nor is the login sent to it."""
    with pytest.raises(HubUnreachable, match="certificate"):
        await driver.look(
            settings_of(f"mqtts://127.0.0.1:{encrypted.broker.port}", password="right", username="u")
        )
    assert encrypted.broker.connections == 0


async def test_tls_to_a_plain_broker_is_said_to_be_wrong(driver, hub):
    """What answers does not speak TLS: the person is told what to try."""
    with pytest.raises(HubUnreachable, match="mqtt://"):
        await driver.look(settings_of(f"mqtts://127.0.0.1:{hub.broker.port}"))


async def test_brokers_that_are_dead_hold_up_nobody_but_hubs(driver, monkeypatch):
    """However many addresses do not answer: what else the server does on threads goes on at once."""
    release = threading.Event()

    def call(where, timeout=None, *more, **named):
        release.wait(10)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", call)
    calls = [
        asyncio.create_task(driver.look(settings_of(f"mqtt://192.0.2.1:{1 + number}")))
        for number in range(60)
    ]
    await asyncio.sleep(0.1)
    try:
        async with asyncio.timeout(2):
            assert await asyncio.to_thread(lambda: "at once") == "at once"
    finally:
        release.set()
    for answer in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(answer, HubUnreachable)
