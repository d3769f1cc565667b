"""Ports and addresses of the demo; its video is tested end to end."""

import socket
from collections.abc import Iterator

import pytest

pytest.importorskip("aiortc", reason="the demo needs the extra `streamer`")

from pixelfleet_cli.demo import app
from pixelfleet_cli.demo.app import _displayed, _streamer_port
from pixelfleet_cli.demo.settings import Settings


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket that is bound to the default port for streamers."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        monkeypatch.setattr(app, "STREAMER_PORT", held.getsockname()[1])
        yield held


def test_the_default_port_for_streamers_is_that_of_unreal() -> None:
    assert app.STREAMER_PORT == 8888


def test_the_default_port_is_chosen_when_it_is_free(bound: socket.socket) -> None:
    assert _streamer_port(Settings()) == app.STREAMER_PORT
    bound.close()
    assert _streamer_port(Settings()) == app.STREAMER_PORT


def test_a_free_port_is_chosen_when_the_default_is_taken(bound: socket.socket) -> None:
    bound.listen()
    assert _streamer_port(Settings()) == 0


@pytest.mark.parametrize("port", [0, 8888, 12345])
def test_a_configured_port_is_used_without_a_check(bound: socket.socket, port: int) -> None:
    bound.listen()
    assert _streamer_port(Settings(streamer_port=port)) == port


@pytest.mark.parametrize(
    ("host", "displayed"),
    [
        ("127.0.0.1", "localhost"),
        ("0.0.0.0", "localhost"),
        ("::", "localhost"),
        ("::1", "[::1]"),
        ("2001:db8::1", "[2001:db8::1]"),
        ("192.168.1.5", "192.168.1.5"),
        ("box.example", "box.example"),
    ],
)
def test_the_displayed_host_can_be_opened(host: str, displayed: str) -> None:
    assert _displayed(host) == displayed
