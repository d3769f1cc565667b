"""How the demo chooses ports and writes addresses; that it plays is a matter for the tests end to end."""

import socket
from collections.abc import Iterator

import pytest

pytest.importorskip("aiortc", reason="the demo needs the extra `streamer`")

from pixelfleet_cli.demo import app
from pixelfleet_cli.demo.app import _shown, _streamer_port
from pixelfleet_cli.demo.settings import Settings


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A bound socket, on the port that is said to be the usual one for streamers."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        monkeypatch.setattr(app, "STREAMER_PORT", held.getsockname()[1])
        yield held


def test_the_usual_port_for_streamers_is_what_unreal_dials_by_itself() -> None:
    assert app.STREAMER_PORT == 8888


def test_the_usual_port_is_chosen_when_nobody_listens_there(usual: socket.socket) -> None:
    assert _streamer_port(Settings()) == app.STREAMER_PORT
    usual.close()
    assert _streamer_port(Settings()) == app.STREAMER_PORT


def test_any_port_is_chosen_when_somebody_does(usual: socket.socket) -> None:
    usual.listen()
    assert _streamer_port(Settings()) == 0


@pytest.mark.parametrize("port", [0, 8888, 12345])
def test_a_port_that_was_asked_for_is_not_questioned(usual: socket.socket, port: int) -> None:
    usual.listen()
    assert _streamer_port(Settings(streamer_port=port)) == port


@pytest.mark.parametrize(
    ("host", "shown"),
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
def test_an_address_to_listen_on_is_one_to_show(host: str, shown: str) -> None:
    assert _shown(host) == shown
