"""Which heads a websocket is opened for, and what is read of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.net.request_head import (
    MAX_HEAD_BYTES,
    BadHeadError,
    RequestHead,
    parse_head,
    path_of,
    query_of,
    target_of,
    wants_websocket,
)
from tests.unit.pixelfleet.net.raw import request, upgrade


def parsed(data: bytes) -> RequestHead:
    return parse_head(data.removesuffix(b"\r\n\r\n"), "192.0.2.7", "https")


def refused(data: bytes) -> int:
    """Return the status that a head is refused with."""
    with pytest.raises(BadHeadError) as error:
        parsed(data)
    return error.value.refusal.status


# -- what it is -------------------------------------------------------------------------------------


def test_an_upgrade_is_known_by_its_header() -> None:
    assert wants_websocket(upgrade())
    assert wants_websocket(b"GET / HTTP/1.1\r\nUPGRADE:WebSocket\r\n\r\n")
    assert wants_websocket(b"GET / HTTP/1.1\r\nupgrade: h2c, websocket\r\n\r\n")
    assert not wants_websocket(request())
    assert not wants_websocket(request("/?Upgrade:websocket", headers={"X-Upgrade": "websocket", "Upgrade": "h2c"}))
    assert not wants_websocket(request() + b"Upgrade: websocket\r\n\r\n")


@given(st.binary(max_size=300))
def test_any_head_is_one_or_the_other_and_is_parsed_or_refused(head: bytes) -> None:
    assert wants_websocket(head) in (True, False)
    assert isinstance(path_of(target_of(head)), str)
    assert refused(head) == 400


def test_a_head_has_what_was_sent() -> None:
    data = upgrade("/a%20b?x=1&x=2", headers={"X-Name": "x", "x-name": "y"})
    head = parsed(data.replace(b"Host: localhost", b"Host: door.test:80"))
    assert (head.method, head.raw_path, head.path, head.query) == ("GET", "/a%20b?x=1&x=2", "/a b", {"x": "1"})
    assert (head.remote, head.scheme, head.host) == ("192.0.2.7", "https", "door.test:80")
    assert head.headers.getall("X-NAME") == ["x", "y"]


@pytest.mark.parametrize(
    ("lines", "cookies"),
    [
        ([], {}),
        (["a=b"], {"a": "b"}),
        (["a=b; c=d", 'e="f"'], {"a": "b", "c": "d", "e": "f"}),
        (["a=b; broken; c=d=e; a=g"], {"a": "g", "c": "d=e"}),
    ],
)
def test_cookies_are_taken_apart(lines: list[str], cookies: dict[str, str]) -> None:
    head = upgrade().removesuffix(b"\r\n") + b"".join(f"Cookie: {line}\r\n".encode() for line in lines) + b"\r\n"
    assert parsed(head).cookies == cookies


# -- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(upgrade().replace(b"Sec-WebSocket-Key", b"X-Key"), id="no key"),
        pytest.param(upgrade(headers={"sec-websocket-KEY": "AAAAAAAAAAAAAAAAAAAAAA=="}), id="two keys"),
        pytest.param(upgrade().replace(b"==\r\n", b"\r\n"), id="a key that is no base64"),
        pytest.param(upgrade().replace(b"Connection: Upgrade", b"Connection: keep-alive"), id="no upgrade asked for"),
        pytest.param(upgrade().replace(b"Upgrade: websocket", b"Upgrade: xwebsocket"), id="another protocol"),
        pytest.param(upgrade().replace(b"GET", b"POST"), id="not a GET"),
        pytest.param(upgrade().replace(b"HTTP/1.1", b"HTTP/1.0"), id="old HTTP"),
        pytest.param(upgrade().replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n"), id="a bare line feed"),
        pytest.param(upgrade().replace(b"GET / ", b"GET  "), id="no target"),
        pytest.param(upgrade().replace(b"GET / ", b"GET /\x00 "), id="a control character in the target"),
        pytest.param(upgrade().replace(b"GET / ", b"GET /\t "), id="a tab in the target"),
        pytest.param(upgrade().replace(b"GET / ", b"GET / x "), id="a space in the target"),
        pytest.param(upgrade().replace(b"GET / ", b"GET /?a=\xff "), id="a byte in the target that is no ASCII"),
        pytest.param(upgrade().replace(b"GET / ", b"GET /?a=b#c "), id="a fragment"),
        pytest.param(upgrade(headers={"host": "other.test"}), id="two hosts"),
        pytest.param(upgrade().replace(b"Host", b"X-Host"), id="no host"),
        pytest.param(upgrade(headers={"Content-Length": "5"}), id="with a body"),
        pytest.param(upgrade(headers={"Content-Length": "0\r\nContent-Length: 0"}), id="two lengths"),
        pytest.param(upgrade(headers={"Transfer-Encoding": "chunked"}), id="with a body in chunks"),
        pytest.param(upgrade(headers={"X-Folded": "a\r\n b"}), id="a folded line"),
        pytest.param(upgrade(headers={"X-Name ": "a"}), id="a space before the colon"),
        pytest.param(upgrade(headers={"X-Name": "a\rb"}), id="a bare carriage return"),
        pytest.param(upgrade(headers={"X-Name": "a\x00b"}), id="a control character in a field"),
        pytest.param(upgrade(headers={f"X-{number}": "a" for number in range(200)}), id="too many fields"),
    ],
)
def test_a_bad_head_is_a_bad_request(head: bytes) -> None:
    assert refused(head) == 400


@pytest.mark.parametrize("version", [b"12", b"", b"13, 8", b"13\r\nSec-WebSocket-Version: 13"])
def test_another_version_is_answered_with_ours(version: bytes) -> None:
    with pytest.raises(BadHeadError) as error:
        parsed(upgrade().replace(b"Version: 13", b"Version: " + version))
    assert error.value.refusal.status == 426
    assert error.value.refusal.headers == {"Sec-WebSocket-Version": "13"}


def test_a_head_has_a_greatest_length() -> None:
    longest = upgrade(headers={"X-Filler": "a" * (MAX_HEAD_BYTES - len(upgrade()) - len("X-Filler: \r\n") + 4)})
    assert parsed(longest).headers["X-Filler"]
    assert refused(longest.replace(b"aa", b"aaa", 1)) == 431


# -- queries ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "query"),
    [
        ("/", {}),
        ("/ws", {}),
        ("/ws?", {}),
        ("/ws?id=a&app=b", {"id": "a", "app": "b"}),
        ("/ws?id=a&id=b", {"id": "a"}),
        ("/ws?id=", {"id": ""}),
        ("/ws?id", {"id": ""}),
        ("/ws?id=a%20b+c%3D", {"id": "a b c="}),
        ("/ws?id=%ff", {"id": "\N{REPLACEMENT CHARACTER}"}),
        ("//[x?id=a", {}),
        ("*", {}),
    ],
)
def test_a_query_is_taken_apart(target: str, query: dict[str, str]) -> None:
    assert query_of(target) == query


@given(st.text(max_size=200))
def test_any_target_has_a_query_or_none(target: str) -> None:
    assert len(query_of(target)) <= 64


def test_a_query_of_thousands_is_not_walked() -> None:
    assert len(query_of("/?" + "&".join(f"a{number}=b" for number in range(5000)))) <= 64
