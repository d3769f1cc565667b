"""A server's readiness and its default URL. Integration tests cover running servers."""

import pytest

from signalserver.app import SignalServer, _own_url
from signalserver.drain import Drain
from signalserver.settings import Settings
from tests.unit.signalserver.hubs import make_hub


async def test_a_server_is_ready_with_a_healthy_streamer_and_without_a_drain() -> None:
    made = make_hub()
    drain = Drain(made.hub, made.metrics, spread_seconds=0, grace_seconds=60)
    server = SignalServer(made.hub, drain, made.watch)
    assert server.unready() == "no streamer is connected"
    made.streamer("cam")
    assert server.unready() is None
    assert (server.streamers, server.players) == (["cam"], 0)
    made.watch.trouble = "the application does not answer its players"
    assert server.unready() == made.watch.trouble
    drain.begin()
    assert server.unready() == "draining"


@pytest.mark.parametrize(
    ("chosen", "url"),
    [
        ({}, "ws://127.0.0.1:4001"),
        ({"host": "10.0.0.7"}, "ws://10.0.0.7:4001"),
        ({"host": "::"}, "ws://[::1]:4001"),
        ({"host": "2001:db8::7"}, "ws://[2001:db8::7]:4001"),
        ({"tls_cert": "c.pem", "tls_key": "k.pem"}, "wss://127.0.0.1:4001"),
    ],
)
def test_the_default_url_is_the_address_that_the_server_listens_on(chosen: dict[str, str], url: str) -> None:
    assert _own_url(Settings.model_validate(chosen), 4001) == url
