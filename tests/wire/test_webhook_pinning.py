"""Where a webhook's connection goes, and to whom it speaks there."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fixtures.sink import MACHINE, NAME, OK, abort, answering, post_once, sink
from tests.fixtures.webhook_urls import REFUSED_ADDRESSES, REFUSED_URLS
from thumbturn.domain.clock import seconds
from thumbturn.testing.clock import FakeClock
from thumbturn.webhooks import post as post_module
from thumbturn.webhooks.post import CHECKED_FOR, Poster
from thumbturn.webhooks.targets import Targets


@pytest.mark.parametrize("url", REFUSED_URLS, ids=REFUSED_URLS.get)
async def test_url_that_leads_astray_is_not_posted_to(poster_for, url):
    """A URL that is refused when it is given is refused when it is used, too."""
    poster = poster_for(allow="")
    status, _, error = await poster.post(url, {}, b"")
    assert status is None
    assert error is not None
    assert error.startswith("refused: ")
    assert poster._targets._resolver.asked == []


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
async def test_name_that_leads_inside_is_not_connected_to(poster_for, address):
    """A name with one inner address among its addresses is refused, and no address of it is connected to."""
    async with sink(answering(OK), host="127.0.0.2") as it:
        poster = poster_for(["127.0.0.2", address], allow="127.0.0.2/32")
        posted = await post_once(poster, it)
        assert posted.status is None
        assert posted.error is not None
        assert posted.error.startswith("refused: the host leads to ")
        assert it.connections == 0


async def test_name_that_changes_its_mind_gains_nothing(poster_for):
    """A name is looked up once for each check: what it means a moment later is not connected to."""
    async with sink(answering(OK)) as inside:
        poster = poster_for(["8.8.8.8"], ["127.0.0.1"], allow="")
        # The tests' own guard says where it went.
        with pytest.raises(Exception, match=r"^\('8\.8\.8\.8', "):
            await post_once(poster, inside)
        assert poster._targets._resolver.asked == [NAME]
        assert inside.connections == 0


async def test_check_is_made_anew_after_its_time(poster_for):
    """A check is good for half a minute; then the name is looked up again, idle connections or not."""
    clock = FakeClock()
    async with sink(answering(OK), host="127.0.0.2") as good:
        poster = poster_for(["127.0.0.2"], ["127.0.0.1"], allow="127.0.0.2/32", clock=clock)
        assert (await post_once(poster, good)).status == 200
        await clock.advance(seconds(CHECKED_FOR) - 1)
        assert (await post_once(poster, good)).status == 200
        assert poster._targets._resolver.asked == [NAME]
        await clock.advance(1)
        assert (await post_once(poster, good)).error == "refused: the host leads to a loopback address"
        assert (len(good.requests), poster._targets._resolver.asked) == (2, [NAME, NAME])


async def test_next_address_is_tried_when_one_does_not_connect(poster_for):
    """Of several addresses one that refuses the connection is passed over, and not begun with again."""
    async with sink(answering(OK), host="127.0.0.3") as it:
        poster = poster_for(["127.0.0.2", "127.0.0.3"])
        assert (await post_once(poster, it)).status == 200
        assert poster._checks[NAME, it.port].addresses == ("127.0.0.3", "127.0.0.2")
        assert (await post_once(poster, it)).status == 200
        assert it.connections == 1


async def test_address_that_took_the_request_is_the_last(poster_for):
    """Once a request was sent it goes to no other address, whatever becomes of it."""
    async with (
        sink(answering(then=abort), host="127.0.0.2") as first,
        sink(answering(OK), host="127.0.0.3", port=first.port) as second,
    ):
        posted = await post_once(poster_for(["127.0.0.2", "127.0.0.3"]), first)
        assert posted.status is None
        assert (len(first.requests), second.connections) == (1, 0)


async def test_ipv6_is_spoken(poster_for):
    """An IPv6 address in brackets is connected to, and named in the Host header with its brackets."""
    async with sink(answering(OK), host="::1") as it:
        assert (await poster_for().post(f"http://[0::1]:{it.port}/", {}, b"")).status == 200
    assert f"Host: [::1]:{it.port}\r\n".encode() in it.requests[0]


async def test_unknown_name_is_told(poster_for):
    """A name that nobody knows is told as that."""

    async def nobody(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    poster = Poster(Targets(resolver=nobody), FakeClock(), tls=MACHINE)
    assert (await poster.post(f"http://{NAME}/", {}, b""))[::2] == (None, "the host name cannot be found")
    await poster.close()


async def test_memory_of_checks_is_bounded(poster_for, monkeypatch):
    """However many names are posted to, not more than so many checks are remembered."""
    monkeypatch.setattr(post_module, "CHECKS", 3)
    poster = poster_for()
    async with sink(answering(OK)) as it:
        for number in range(10):
            assert (await post_once(poster, it, name=f"n{number}.example.com")).status == 200
            assert len(poster._checks) <= 3


async def test_posts_at_once_all_come_through(poster_for):
    """Many posts at the same time are all answered."""
    poster = poster_for()
    async with sink(answering(OK)) as it:
        posted = await asyncio.gather(*(post_once(poster, it) for _ in range(50)))
    assert {each.status for each in posted} == {200}


# TLS --------------------------------------------------------------------------------------------


def certificate(tmp_path, *names: str, days: int = 1) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's TLS with a certificate that it signed itself, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    alternatives = [
        x509.IPAddress(ipaddress.ip_address(each)) if each[0].isdigit() else x509.DNSName(each)
        for each in names
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=10))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    path = tmp_path / "pair.pem"
    path.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())


async def test_tls_is_asked_for_by_name(poster_for, tmp_path):
    """The connection goes to the address; TLS asks for the name, and checks it."""
    server, client = certificate(tmp_path, NAME)
    asked: list[str | None] = []
    server.sni_callback = lambda socket, name, context: asked.append(name)
    async with sink(answering(OK), tls=server) as it:
        posted = await poster_for(tls=client).post(f"https://{NAME}:{it.port}/", {}, b"")
    assert (posted.status, posted.error) == (200, None)
    assert asked == [NAME]
    assert f"Host: {NAME}:{it.port}\r\n".encode() in it.requests[0]


async def test_connection_of_one_name_is_not_used_for_another(poster_for, tmp_path):
    """Two names on one address each make their own TLS connection."""
    server, client = certificate(tmp_path, NAME)
    poster = poster_for(tls=client)
    async with sink(answering(OK), tls=server) as it:
        assert (await poster.post(f"https://{NAME}:{it.port}/", {}, b"")).status == 200
        other = await poster.post(f"https://other.example.com:{it.port}/", {}, b"")
        assert other.status is None
        assert len(it.requests) == 1


@pytest.mark.parametrize(
    ("names", "days", "trusting", "why"),
    [
        ((NAME,), 1, False, "self-signed certificate"),
        (("other.example.com",), 1, True, "Hostname mismatch"),
        (("127.0.0.1",), 1, True, "Hostname mismatch"),
        ((NAME,), -1, True, "certificate has expired"),
    ],
    ids=["not trusted", "another name", "the address", "expired"],
)
async def test_bad_certificate_is_refused(poster_for, tmp_path, names, days, trusting, why):
    """A certificate that is not trusted, of another name or out of date ends it before anything is sent."""
    server, client = certificate(tmp_path, *names, days=days)
    async with sink(answering(OK), tls=server) as it:
        posted = await poster_for(tls=client if trusting else MACHINE).post(
            f"https://{NAME}:{it.port}/", {}, b""
        )
        assert it.requests == []
    assert posted.status is None
    assert posted.error is not None
    assert posted.error.startswith("its TLS certificate is not accepted: ")
    assert why in posted.error


async def test_address_in_a_tls_url_is_what_the_certificate_must_name(poster_for, tmp_path):
    """An https URL with an address needs a certificate for that address."""
    server, client = certificate(tmp_path, "127.0.0.1")
    async with sink(answering(OK), tls=server) as it:
        assert (await poster_for(tls=client).post(f"https://127.0.0.1:{it.port}/", {}, b"")).status == 200


async def test_plain_server_behind_https_is_told(poster_for):
    """A server that speaks no TLS where TLS is expected is told as that."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    posted = await poster_for().post(f"https://{NAME}:{port}/", {}, b"")
    assert posted[::2] == (None, "no TLS connection could be agreed on")
    server.close()
