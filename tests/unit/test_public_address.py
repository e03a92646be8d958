"""Which addresses that customers type are called: a table of hostile ones, and what must hold for all."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.base.public_address import Target, UnsafeUrl, checked_url, is_public

GOOD = {
    "https://hooks.customer.example/crm": Target("hooks.customer.example", 443, "/crm"),
    "https://Hooks.Customer.Example": Target("hooks.customer.example", 443, "/"),
    "https://hooks.customer.example:443/a?b=c&d=%2F": Target("hooks.customer.example", 443, "/a?b=c&d=%2F"),
    "https://hooks.customer.example:8443/": Target("hooks.customer.example", 8443, "/"),
    "https://xn--bcher-kva.example/x": Target("xn--bcher-kva.example", 443, "/x"),
    "HTTPS://a.co/": Target("a.co", 443, "/"),
    "https://1.2.3.4.example.com/": Target("1.2.3.4.example.com", 443, "/"),
}
HOSTILE = {
    "scheme": [
        *("http://hooks.customer.example/", "ftp://a.example/", "file:///etc/passwd", "gopher://a.example:70/_x"),
        *("//hooks.customer.example/", "hooks.customer.example", "javascript:alert(1)", "jar:https://a.b/"),
    ],
    "number": [
        # dotted, short, decimal, octal, hexadecimal, mixed
        *("https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0177.0.0.1/", "https://0x7f.0.0.1/"),
        *("https://0x7f000001/", "https://017700000001/", "https://127.0.0.1./", "https://0/", "https://0.0.0.0/"),
        *("https://169.254.169.254/latest/meta-data/", "https://0xa9fea9fe/", "https://2852039166/", "https://0251.0376.0251.0376/"),
        *("https://169.254.43518/", "https://10.0.0.1/", "https://100.64.0.1/", "https://8.8.8.8/", "https://a.0x/"),
        *("https://4294967297/", "https://1.1.1.1:443/", "https://0x7F.1/", "https://127.0.0.0x1/"),
        # IPv6 in every dress
        *("https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[fe80::1]/"),
        *("https://[64:ff9b::7f00:1]/", "https://[fd00:ec2::254]/", "https://[2001:4860:4860::8888]:443/", "https://[::127.0.0.1]/"),
    ],
    "local_name": [
        *("https://localhost/", "https://LOCALHOST:443/", "https://foo.localhost/", "https://metadata.google.internal/x"),
        *("https://db.internal/", "https://printer.local/", "https://wiki.corp/", "https://nas.home/", "https://intranet/"),
        *("https://metadata/", "https://1.0.0.127.in-addr.arpa/", "https://router.lan/", "https://a.test/"),
        *("https://db.default.svc.cluster.local/", "https://x.onion/"),
    ],
    "userinfo": [
        *("https://user@hooks.customer.example/", "https://hooks.customer.example@169.254.169.254/", "https://a:b@c.example/"),
        *("https://hooks.customer.example:443@127.0.0.1/", "https://@a.example/"),
    ],
    "port": [
        *("https://a.example:80/", "https://a.example:22/", "https://a.example:6379/", "https://a.example:0/"),
        *("https://a.example:/", "https://a.example:5432/", "https://a.example:8080/"),
    ],
    "characters": [
        *("https://a.example/ x", "https://a.example\\@127.0.0.1/", "https:\\\\127.0.0.1\\", "https://a.example/\n", "https://a\t.example/"),
        *("https://１２７.０.０.１/", "https://127。0。0。1/", "https://ⓛocalhost/", "https://bücher.example/", "https://a.example/\x00"),
        *("https://a­.example/", " https://a.example/", "https://a.example/\r\nHost: x", "https://ａ.example/"),
    ],
    "fragment": ["https://a.example/#@127.0.0.1/", "https://a.example#x", "https://a.example/#"],
    "host": [
        *("https://-a.example/", "https://a-.example/", "https://a..example/", "https://.example/", "https://a_b.example/"),
        *("https://a.example./", "https://%31%32%37.example/", "https://a.example%00.evil.example/", "https://a!b.example/"),
        *("https://" + "a" * 64 + ".example/", "https://" + "a." * 130 + "example/", "https://a,b.example/", "https://*.example/"),
    ],
    "syntax": ["https://a.example:99999/", "https://a.example:x/", "https://[::1/", "https://a.example:-1/", "https:/a.example/", "https:///x"],
    "length": ["", "https://a.example/" + "x" * 2000],
}  # fmt: skip
PRIVATE = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255"),
    *("127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.1", "192.0.0.9", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8"),
    *("fe80::1", "fe80::1%eth0"),
    *("fc00::1", "fd00:ec2::254", "fd20:ce::254", "ff02::1", "fec0::1", "100::1", "2001:db8::1", "2001::1", "2001:10::1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808"),
    *("2a00:1450::5efe:10.0.0.1", "2a00:1450::200:5efe:a9fe:a9fe", "3fff::1", "2606:4700::1%1"),
    *("not an address", "", "127.1", "0x7f000001", "2130706433"),
)  # fmt: skip
PUBLIC = (
    *("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "169.253.1.1", "192.0.1.1"),
    *("223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::808:808", "2a00:1450::5efe:8.8.8.8"),
)  # fmt: skip


@pytest.mark.parametrize("url", GOOD)
def test_an_address_we_call(url: str) -> None:
    target = checked_url(url)
    assert target == GOOD[url]
    assert checked_url(target.url) == target


@pytest.mark.parametrize("code, url", [(code, url) for code, urls in HOSTILE.items() for url in urls])
def test_an_address_we_never_call(code: str, url: str) -> None:
    with pytest.raises(UnsafeUrl) as refused:
        checked_url(url)
    assert refused.value.code == code
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_machine_that_is_not_on_the_public_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_machine_on_the_public_internet(address: str) -> None:
    assert is_public(address)


NETWORKS = [
    ip_network(each)
    for each in (
        *("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16"),
        *("192.168.0.0/16", "100.64.0.0/10", "224.0.0.0/4"),
    )
]


@given(st.sampled_from(NETWORKS), st.integers(0, 2**32 - 1))
def test_no_dress_makes_a_private_address_public(network: object, number: int) -> None:
    ip = network[number % network.num_addresses]  # pyright: ignore
    inside = int(ip)
    dressed = [
        str(ip),
        f"::ffff:{ip}",
        f"::{ip}",
        str(IPv6Address(int(IPv6Address("64:ff9b::")) | inside)),
        str(IPv6Address(int(IPv6Address("2002::")) | inside << 80)),
        str(IPv6Address(int(IPv6Address("2a00:1450::5efe:0:0")) | inside)),
    ]
    assert [each for each in dressed if is_public(each)] == []


@given(st.integers(0, 2**32 - 1))
def test_no_spelling_of_a_number_is_a_host(number: int) -> None:
    ip = IPv4Address(number)
    octets = str(ip).split(".")
    spelled = [
        str(ip), f"{ip}.", str(number), hex(number), f"0{number:o}", ".".join(hex(int(each)) for each in octets),
        ".".join(f"0{int(each):o}" for each in octets), f"{octets[0]}.{number & 0xFFFFFF}", f"[::ffff:{ip}]",
    ]  # fmt: skip
    for host in spelled:
        with pytest.raises(UnsafeUrl):
            checked_url(f"https://{host}/")


@given(st.text(max_size=40))
def test_whatever_is_typed_is_an_address_with_a_name_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/", f"https://a.example{text}"):
        try:
            target = checked_url(url)
        except UnsafeUrl:
            continue
        assert target.port in (443, 8443)
        assert not target.host.rpartition(".")[2].isdigit()
        assert set(target.host) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert checked_url(target.url) == target
