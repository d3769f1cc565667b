import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnapi.credentials import Credentials
from turnapi.ice import AnswerOptions, Server, chosen, configuration, parse_server, parse_servers

USER = Credentials("user", "pass")
SERVERS = tuple(Server((f"192.0.2.{number}",)) for number in range(1, 21))


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", Server(("192.0.2.1",))),
        ("192.0.2.1:3479", Server(("192.0.2.1",), 3479)),
        ("turn.example.com", Server(("turn.example.com",))),
        ("turn.example.com:443", Server(("turn.example.com",), 443)),
        ("2001:DB8::1", Server(("2001:db8::1",))),
        ("[2001:db8::1]", Server(("2001:db8::1",))),
        ("[2001:db8::1]:3479", Server(("2001:db8::1",), 3479)),
    ],
)
def test_a_server_is_a_host_with_an_optional_port(text: str, server: Server) -> None:
    assert parse_server(text) == server


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ":", ":3478", "a:", "a:0", "a:65536", "a:b", "a b", "turn:a", "a?x", "a/b", "[::1", "[::1]3478"),
        *("[a]:1:2", "300.1.1.1", "1.2.3", "fe80::1%eth0", "-a", "a" * 300, "é.example", "::x", "http://a", "a@b"),
        *("turn.example.com:5061", "10080", "xn--a.example", "0x7f.1"),
    ],
)
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_server(text)


@given(st.text(max_size=80))
def test_any_text_is_a_server_or_a_value_error(text: str) -> None:
    try:
        server = parse_server(text)
    except ValueError:
        return
    url = configuration([server], USER, AnswerOptions()).ice_servers[0].urls[0]
    assert not any(character.isspace() or character in "?#@/" for character in url)


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        (None, "list"),
        ({}, "list"),
        ("192.0.2.1", "list"),
        ([], "at least one"),
        ([7], "entry 1"),
        (["a", None], "entry 2"),
        (["a", "b:x"], "entry 2"),
        (["a"] * 1001, "1000"),
    ],
)
def test_an_invalid_list_is_refused_with_the_entry(entries: object, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        parse_servers(entries)


def test_duplicate_servers_are_removed() -> None:
    assert parse_servers(["a", "b", "a"]) == (Server(("a",)), Server(("b",)))


def test_the_answer_is_an_rtc_configuration() -> None:
    answer = configuration([Server(("192.0.2.1",))], USER, AnswerOptions(("stun", "udp")))
    assert msgspec.to_builtins(answer) == {
        "iceTransportPolicy": "all",
        "iceServers": [
            {
                "urls": ["stun:192.0.2.1:3478", "turn:192.0.2.1:3478?transport=udp"],
                "username": "user",
                "credential": "pass",
            }
        ],
    }


def test_the_urls_have_all_transports_and_both_address_families() -> None:
    options = AnswerOptions(("udp", "tcp", "tls"), 3478, 5349, "relay")
    answer = configuration([Server(("192.0.2.1", "2001:db8::1"), 3479)], USER, options)
    assert answer.ice_transport_policy == "relay"
    assert answer.ice_servers[0].urls == [
        "turn:192.0.2.1:3479?transport=udp",
        "turn:192.0.2.1:3479?transport=tcp",
        "turns:192.0.2.1:5349?transport=tcp",
        "turn:[2001:db8::1]:3479?transport=udp",
        "turn:[2001:db8::1]:3479?transport=tcp",
        "turns:[2001:db8::1]:5349?transport=tcp",
    ]


def test_a_limited_answer_is_stable_for_a_name_and_spreads_names() -> None:
    assert chosen(SERVERS, 0, "a") == list(SERVERS)
    assert chosen(SERVERS, 3, "a") == chosen(SERVERS, 3, "a")
    used = {server for number in range(100) for server in chosen(SERVERS, 3, str(number))}
    assert used == set(SERVERS)


def test_a_removed_server_affects_only_its_names() -> None:
    removed, *rest = SERVERS
    for number in range(100):
        before = chosen(SERVERS, 3, str(number))
        if removed not in before:
            assert chosen(rest, 3, str(number)) == before
