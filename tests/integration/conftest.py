"""The services in one process, on free ports, wired together as an operator wires them."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import matchmaker.app
import matchmaker.settings
import router.app
import router.settings
import signalserver.app
import signalserver.settings
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.store import FleetStore
from tests.parts import SIGNALSERVER_ON_FREE_PORTS
from tests.unit.pixelfleet_cli.doctor.doctors import PAGE


@dataclass
class Chain:
    """Router, matchmaker and signalserver on one fleet store."""

    signals: signalserver.app.SignalServer
    matches: matchmaker.app.Matchmaker
    entry: router.app.Router

    @property
    def player_url(self) -> str:
        return f"ws://127.0.0.1:{self.entry.port}/ws"

    @property
    def page_url(self) -> str:
        return f"http://127.0.0.1:{self.entry.port}"

    @property
    def streamer_url(self) -> str:
        return f"ws://127.0.0.1:{self.signals.streamer_port}"


@pytest.fixture
def page_folder(tmp_path: Path) -> Path:
    """A stand-in for the built page, so that these tests need no Node."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "assets" / "main-abc123.js").write_text("export {}")
    return tmp_path


@asynccontextmanager
async def running_chain(
    page: Path,
    store: FleetStore | None = None,
    *,
    signals: Mapping[str, Any] = {},
    matches: Mapping[str, Any] = {},
    entry: Mapping[str, Any] = {},
) -> AsyncIterator[Chain]:
    """Run the services with these settings, besides those that wire them together; the default store is in memory.

    Without a setting for it, players of a test may be silent for any time.
    """
    store = store or MemoryFleetStore()
    key = SecretStr(secrets.token_hex(32))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            signalserver.app.running(
                signalserver.settings.Settings(
                    **{**SIGNALSERVER_ON_FREE_PORTS, "session_key": key, "require_session": True, **signals}
                ),
                store,
            )
        )
        replica = await stack.enter_async_context(
            matchmaker.app.running(
                matchmaker.settings.Settings(
                    **{
                        "host": "127.0.0.1",
                        "port": 0,
                        "metrics_port": 0,
                        "session_key": key,
                        "legacy_link": False,
                        "confirm_seconds": 0,
                        **matches,
                    }
                ),
                store,
            )
        )
        front = await stack.enter_async_context(
            router.app.running(
                router.settings.Settings(
                    **{
                        "host": "127.0.0.1",
                        "port": 0,
                        "metrics_port": 0,
                        "matchmaker": [f"ws://127.0.0.1:{replica.port}"],
                        "session_key": key,
                        "page": page,
                        **entry,
                    }
                )
            )
        )
        yield Chain(server, replica, front)


@pytest.fixture
async def chain(page_folder: Path) -> AsyncIterator[Chain]:
    async with running_chain(page_folder) as running:
        yield running
