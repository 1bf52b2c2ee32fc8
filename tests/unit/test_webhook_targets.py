"""Where a webhook may go, when a URL is given and when it is used."""

from __future__ import annotations

import socket

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fixtures.webhook_urls import PUBLIC_ADDRESSES, REFUSED_ADDRESSES, REFUSED_URLS, TAKEN_URLS
from thumbturn.domain.refusals import InvalidWebhookUrl
from thumbturn.webhooks.networks import address_of, read_networks
from thumbturn.webhooks.targets import TargetRefused, Targets, read_url

NAME = "hooks.example.com"
PUBLIC = "8.8.8.8"


def knowing(*addresses: str):
    """A resolver for which every name has these addresses."""

    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


def allowing(networks: str, *addresses: str) -> Targets:
    """Targets with these networks allowed, and a resolver that knows these addresses."""
    return Targets(read_networks(networks), knowing(*addresses))


@pytest.mark.parametrize("url", REFUSED_URLS, ids=REFUSED_URLS.get)
def test_url_that_leads_astray_is_refused(url):
    """A URL that leads inside, or that can be read in two ways, is refused with a sentence."""
    with pytest.raises(InvalidWebhookUrl) as refused:
        Targets(resolver=knowing(PUBLIC)).check(url)
    assert refused.value.message.endswith(".")
    assert refused.value.message != InvalidWebhookUrl.sentence


def test_there_are_enough_vectors():
    """At least sixty URLs are tried, each of another kind."""
    assert len(REFUSED_URLS) >= 60
    assert len(set(REFUSED_URLS.values())) > 100


@pytest.mark.parametrize(("url", "parts"), TAKEN_URLS.items())
def test_url_of_the_public_internet_is_taken(url, parts):
    """A URL with a public address or a name is taken, and read in its plainest form."""
    assert tuple(Targets().check(url)) == parts


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
@pytest.mark.parametrize("others", ["alone", "behind a public one", "before a public one"])
async def test_name_with_an_inner_address_is_refused_when_used(address, others):
    """A name with a single inner address among its addresses is refused when it is used."""
    found = {"alone": [address], "before a public one": [address, PUBLIC]}.get(others, [PUBLIC, address])
    targets = Targets(resolver=knowing(*found))
    targets.check(f"https://{NAME}/")
    with pytest.raises(TargetRefused) as refused:
        await targets.resolve(NAME, 443)
    assert address not in str(refused.value), "an inner address is no outsider's business"


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
async def test_name_with_public_addresses_may_be_used(address):
    """A name whose addresses are all public may be used, and exactly those are to be connected to."""
    assert await Targets(resolver=knowing(address, "1.0.0.1", address)).resolve(NAME, 443) == (
        address,
        "1.0.0.1",
    )


async def test_mapped_address_is_connected_to_as_what_it_is():
    """An IPv6 address that wraps an IPv4 one is connected to as that one."""
    assert await Targets(resolver=knowing("::ffff:8.8.8.8")).resolve(NAME, 443) == (PUBLIC,)


async def test_name_without_addresses_is_not_found():
    """A name without an address is an error of the network, not a refusal."""
    with pytest.raises(OSError, match="no address"):
        await Targets(resolver=knowing()).resolve(NAME, 443)


async def test_address_in_a_url_is_judged_without_asking_anybody():
    """An address that stands in the URL itself is judged as it is; no resolver is asked."""
    targets = Targets(resolver=knowing("10.0.0.1"))
    assert await targets.resolve(PUBLIC, 80) == (PUBLIC,)
    with pytest.raises(TargetRefused):
        await Targets(resolver=knowing(PUBLIC)).resolve("127.0.0.1", 80)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/",
        "http://2130706433/",
        "http://[::1]/",
        "http://localhost:9000/",
        "http://[::ffff:7f00:1]/",
    ],
)
async def test_allowed_network_is_open(url):
    """What the operator allows is taken in every spelling, when it is given and when it is used."""
    targets = allowing("127.0.0.0/8, ::1/128", "127.0.0.1", "::1")
    target = targets.check(url)
    assert set(await targets.resolve(target.host, target.port)) <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://192.168.0.1/", "http://[fe80::1]/"])
def test_allowed_network_opens_no_other(url):
    """A network that is allowed opens nothing beside itself."""
    with pytest.raises(InvalidWebhookUrl):
        allowing("127.0.0.0/8,::1/128").check(url)


@pytest.mark.parametrize("name", ["nas.lan", "redis", "db.internal"])
async def test_inner_names_work_where_a_network_is_allowed(name):
    """Where a network is allowed its names are taken; where they lead is judged when they are used."""
    targets = allowing("10.0.0.0/8", "10.1.2.3")
    targets.check(f"http://{name}/")
    assert await targets.resolve(name, 80) == ("10.1.2.3",)
    with pytest.raises(TargetRefused):
        await allowing("10.0.0.0/8", "10.1.2.3", "192.168.0.1").resolve(name, 80)


def test_localhost_needs_loopback_to_be_allowed():
    """A network that is not loopback does not open this machine's own name."""
    with pytest.raises(InvalidWebhookUrl, match="this machine itself"):
        allowing("10.0.0.0/8").check("http://localhost/")


@pytest.mark.parametrize("address", ["169.254.169.254", "100.100.100.200", "168.63.129.16"])
async def test_metadata_is_opened_by_its_own_address_only(address):
    """However wide a network is allowed, a metadata service is shut unless its very address is allowed."""
    for networks in ("0.0.0.0/0,::/0", f"{address.rpartition('.')[0]}.0/24"):
        with pytest.raises(TargetRefused):
            await allowing(networks, address).resolve(NAME, 80)
        with pytest.raises(InvalidWebhookUrl):
            allowing(networks).check(f"http://{address}/")
    assert await allowing(f"{address}/32", address).resolve(NAME, 80) == (address,)
    with pytest.raises(TargetRefused):
        await allowing("64:ff9b::/96", "64:ff9b::a9fe:a9fe").resolve(NAME, 80)


@pytest.mark.parametrize("name", ["metadata.google.internal", "metadata", "metadata.goog"])
def test_metadata_has_no_name(name):
    """No allowed network opens a metadata service by its name."""
    with pytest.raises(InvalidWebhookUrl, match="metadata"):
        allowing("0.0.0.0/0,::/0").check(f"http://{name}/")


@pytest.mark.parametrize(
    "text", ["10.0.0.0/33", "10.0.0.1/8", "localhost", "10.0.0.0-10.0.0.9", "127.1", "::g/8"]
)
def test_network_that_is_none_is_named(text):
    """A setting that is not a list of networks is refused with the wrong one's name and an example."""
    with pytest.raises(ValueError, match="is not a network") as problem:
        read_networks(f"127.0.0.0/8,{text}")
    assert text in str(problem.value)
    assert "10.0.0.0/8" in str(problem.value)


def test_networks_are_read():
    """Networks are separated by commas, blanks do not count, and an address is a network of one."""
    assert list(map(str, read_networks(" 127.0.0.0/8, ::1 ,,10.1.2.3"))) == [
        "127.0.0.0/8",
        "::1/128",
        "10.1.2.3/32",
    ]
    assert read_networks("") == ()


# Any spelling -----------------------------------------------------------------------------------


@st.composite
def ipv4_spellings(draw) -> tuple[str, str]:
    """An IPv4 address, and one of the ways to write it that the socket library understands."""
    whole = draw(
        st.one_of(
            st.sampled_from([0x7F000001, 0x0A000001, 0xC0A80101, 0xA9FEA9FE, 0]), st.integers(0, 2**32 - 1)
        )
    )
    parts = draw(st.integers(1, 4))
    heads = [whole >> 8 * (3 - n) & 255 for n in range(parts - 1)]
    numbers = [*heads, whole & (1 << 8 * (5 - parts)) - 1]

    def write(number: int) -> str:
        zeros = "0" * draw(st.integers(1, 4))
        return draw(
            st.sampled_from(
                [str(number), f"0x{number:x}", f"0X{number:X}", f"0x{zeros}{number:x}", f"{zeros}{number:o}"]
            )
        )

    return socket.inet_ntoa(whole.to_bytes(4, "big")), ".".join(map(write, numbers))


@given(ipv4_spellings())
def test_every_spelling_means_what_the_socket_library_makes_of_it(spelled):
    """However an IPv4 address is spelled, it is judged as the address that a socket would connect to."""
    plain, text = spelled
    assert socket.inet_ntoa(socket.inet_aton(text)) == plain
    assert str(address_of(text.lower())) == plain
    assert read_url(f"http://{text}/").host == plain


HOSTS = st.one_of(
    st.text(alphabet="0123456789abcdefx.:[]%-_@\\/#? \t\uff11\u3002\u24db", max_size=24),
    st.from_regex(r"(0[xX]?)?[0-9a-f]{1,10}(\.(0[xX]?)?[0-9a-f]{1,4}){0,4}\.?", fullmatch=True),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.ip_addresses(v=6).map(lambda address: f"[{address.exploded}]"),
    st.ip_addresses(v=4).map(lambda address: f"[::ffff:{address}]"),
)


@given(HOSTS)
@example("127.0.0.1")
@example("0x7f.1")
@example("0x7f.1.")
def test_whatever_a_socket_takes_for_an_inner_address_is_refused(host):
    """No host is taken that the socket library, left to itself, would take for an inner address."""
    try:
        target = Targets().check(f"http://{host}/")
    except InvalidWebhookUrl:
        return
    for text in (host, target.host):
        try:
            found = socket.getaddrinfo(text.strip("[]"), 80, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError, ValueError):
            continue
        for *_, address in found:
            assert str(address_of(str(address[0]))) == target.host
