from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from matchmaker.session_urls import host_and_port, page_url, session_url
from pixelfleet.fleet.model import Lease, LeaseState, StreamerReport
from pixelfleet.fleet.tokens import verify

KEY = "k" * 32


def lease(*, spectator: bool = False, **fields: Any) -> Lease:
    report = {"server_id": "s", "endpoint_id": "cam", "app": "a", "url": "ws://10.0.0.1:4000", **fields}
    return Lease(
        session_id="x" * 32,
        replica_id="r",
        streamer=StreamerReport(**report),
        state=LeaseState.CLAIMED,
        spectator=spectator,
    )


@pytest.mark.parametrize(("spectator", "role"), [(False, "player"), (True, "spectator")])
def test_the_url_has_a_session_token_for_its_server(role: str, *, spectator: bool) -> None:
    query = parse_qs(urlsplit(session_url(lease(spectator=spectator), KEY, {"OfferToReceive": "true"})).query)
    token = verify(query["session"][0], KEY, "s")
    assert (token.session_id, token.app, token.role) == ("x" * 32, "a", role)
    assert (query["player"], query["OfferToReceive"]) == (["x" * 32], ["true"])


def test_there_is_no_token_for_a_legacy_server_or_without_a_key() -> None:
    for url in (session_url(lease(legacy=True), KEY), session_url(lease(), None)):
        assert url == f"ws://10.0.0.1:4000/?player={'x' * 32}"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("ws://10.0.0.1:4000", "10.0.0.1:4000"),
        ("ws://host", "host:80"),
        ("wss://host", "host:443"),
        ("wss://[2001:db8::1]:8443", "[2001:db8::1]:8443"),
    ],
)
def test_addresses_have_their_port(url: str, text: str) -> None:
    assert host_and_port(url) == text


def test_the_page_url_has_a_token_unless_the_server_is_legacy() -> None:
    assert page_url(lease(legacy=True, url="wss://host:8443"), KEY) == "https://host:8443/"
    assert page_url(lease(legacy=True), KEY, "custom_html/a.html") == "http://10.0.0.1:4000/custom_html/a.html"
    url = page_url(lease(), KEY)
    assert url.startswith("http://10.0.0.1:4000/?ss=ws%3A%2F%2F10.0.0.1%3A4000%2F%3Fplayer%3D")
    inner = parse_qs(urlsplit(url).query)["ss"][0]
    assert verify(parse_qs(urlsplit(inner).query)["session"][0], KEY, "s").endpoint_id == "cam"
