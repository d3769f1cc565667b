from contextlib import nullcontext, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.protocol.ice_urls import BLOCKED_PORTS, IceUrl, IceUrlError, parse_ice_url, port_refusal


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("stun:a", IceUrl("stun", "a", 3478, "udp")),
        ("turn:a:80?transport=tcp", IceUrl("turn", "a", 80, "tcp")),
        ("turns:a", IceUrl("turns", "a", 5349, "tcp")),
        ("turns:a?transport=udp", IceUrl("turns", "a", 5349, "udp")),
        ("TURN:Example.com", IceUrl("turn", "Example.com", 3478, "udp")),
        ("turn:[2001:db8::1]:03478", IceUrl("turn", "2001:db8::1", 3478, "udp")),
        ("stuns:a", IceUrl("stuns", "a", 5349, "tcp")),
        ("turn:xn--strae-oqa.example.", IceUrl("turn", "xn--strae-oqa.example.", 3478, "udp")),
    ],
)
def test_a_url_has_the_defaults_of_its_scheme(text: str, url: IceUrl) -> None:
    assert parse_ice_url(text) == url
    assert url.relays is text.lower().startswith("turn")


@pytest.mark.parametrize("letters", [30, 70, 100_000])
def test_a_label_of_a_host_has_at_most_63_characters(letters: int) -> None:
    label = "xn--" + ("ä" * letters).encode("punycode").decode()
    with nullcontext() if len(label) <= 63 else pytest.raises(IceUrlError, match="host"):
        parse_ice_url(f"turn:{label}.example")
    with pytest.raises(IceUrlError, match="host"):
        parse_ice_url(f"turn:{'a' * 64}.example")


@given(st.text(max_size=40) | st.from_regex(r"turns?:[0-9a-fx.:\[\]-]{0,12}(\?transport=udp)?", fullmatch=True))
def test_any_text_is_a_url_or_the_documented_error(text: str) -> None:
    with suppress(IceUrlError):
        url = parse_ice_url(text)
        assert url.host
        assert 0 < url.port < 65536


def test_a_blocked_port_and_stuns_are_refused_by_firefox() -> None:
    assert "Firefox" in str(parse_ice_url("stuns:a").refusal())
    assert "5061" in str(parse_ice_url("turns:a:5061").refusal())
    assert parse_ice_url("turn:a:3478").refusal() is None
    assert [port for port in (53, 80, 443, 3478, 3479, 5349, 8443, 19302) if port_refusal(port)] == []
    assert {5060, 5061, 6000, 10080} <= BLOCKED_PORTS
