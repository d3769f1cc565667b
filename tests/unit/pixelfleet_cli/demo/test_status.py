import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from rich.console import Console

from pixelfleet_cli.demo import status
from pixelfleet_cli.demo.status import Screen
from tests.parts import eventually

if TYPE_CHECKING:
    from pixelfleet_cli.demo.app import Demo


class Shown:
    """A screen with a readable output, and a demo with settable numbers."""

    def __init__(self, *, terminal: bool, user: str = "") -> None:
        self.file = io.StringIO()
        self.screen = Screen(Console(file=self.file, force_terminal=terminal, width=100, highlight=False))
        self.signals = SimpleNamespace(streamer_port=8888, streamers=["demo-1"], players=0)
        self.matches = SimpleNamespace(queue=0)
        started = time.monotonic() - 61
        url = "http://localhost:8080/"
        self.access = {"token": "t0ken", "dashboard_user": user}
        demo = SimpleNamespace(
            url=url, signalserver=self.signals, matchmaker=self.matches, started=started, **self.access
        )
        self.demo = cast("Demo", demo)

    @property
    def text(self) -> str:
        return self.file.getvalue()

    @asynccontextmanager
    async def live(self) -> AsyncIterator[None]:
        showing = asyncio.create_task(self.screen.show(self.demo))
        yield
        showing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await showing


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "REFRESH_SECONDS", 0.001)


def test_a_finished_step_is_one_line() -> None:
    shown = Shown(terminal=False)
    with shown.screen.step("router"):
        assert shown.text == ""
    assert shown.text.count("\n") == 1
    assert "router" in shown.text
    assert " s\n" in shown.text


def test_a_failed_step_is_not_printed() -> None:
    shown = Shown(terminal=False)
    with pytest.raises(ValueError, match="broken"), shown.screen.step("router"):
        raise ValueError("broken")
    assert shown.text == ""


async def test_in_a_file_each_change_of_state_is_a_line() -> None:
    shown = Shown(terminal=False)
    async with shown.live():
        await eventually(lambda: "streamers 1   players 0   queue 0\n" in shown.text, "the first state")
        assert "Open http://localhost:8080/ in a browser" in shown.text
        assert "ws://127.0.0.1:8888" in shown.text
        shown.signals.players, shown.matches.queue = 1, 2
        await eventually(lambda: "streamers 1   players 1   queue 2\n" in shown.text, "the next state")
        shown.signals.streamers = []
        await eventually(lambda: "streamers 0   players 1   queue 2\n" in shown.text, "the last state")
    assert shown.text.count("streamers ") == 3


@pytest.mark.parametrize(("user", "login"), [("", "\n"), ("operator", " (user operator, password t0ken)\n")])
async def test_dashboard_and_token_are_printed(user: str, login: str) -> None:
    shown = Shown(terminal=False, user=user)
    async with shown.live():
        await eventually(lambda: "streamers 1" in shown.text, "the first state")
    assert f"Dashboard: http://localhost:8080/dashboard/{login}" in shown.text
    variables = "PIXELFLEET_FLEET_URL=http://localhost:8080/ PIXELFLEET_FLEET_TOKEN=t0ken"
    assert f"{variables} pixelfleet fleet ls\n" in shown.text


async def test_in_a_terminal_the_state_is_live() -> None:
    shown = Shown(terminal=True)
    async with shown.live():
        await eventually(lambda: "1:01" in shown.text, "the uptime")
        shown.signals.players = 77
        await eventually(lambda: "77" in shown.text, "the players")
        for name in ("streamers", "players", "queue", "up"):
            assert name in shown.text
    assert shown.text.endswith("\x1b[?25h\r\x1b[1A\x1b[2K") or "\x1b[?25h" in shown.text, "the cursor is restored"
