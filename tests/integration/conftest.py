"""The services in one process, on free ports, wired together as an operator wires them."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

import matchmaker.app
import matchmaker.settings
import router.app
import router.settings
import signalserver.app
import signalserver.settings
from pixelfleet.fleet.memory import MemoryFleetStore
from tests.parts import SIGNALSERVER_ON_FREE_PORTS


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
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>")
    (tmp_path / "assets" / "main-abc123.js").write_text("export {}")
    return tmp_path


@pytest.fixture
async def chain(page_folder: Path) -> AsyncIterator[Chain]:
    store = MemoryFleetStore()
    key = SecretStr(secrets.token_hex(32))
    async with AsyncExitStack() as stack:
        signals = await stack.enter_async_context(
            signalserver.app.running(
                signalserver.settings.Settings(
                    **SIGNALSERVER_ON_FREE_PORTS,
                    session_key=key,
                    require_session=True,
                ),
                store,
            )
        )
        matches = await stack.enter_async_context(
            matchmaker.app.running(
                matchmaker.settings.Settings(
                    host="127.0.0.1", port=0, metrics_port=0, session_key=key, legacy_link=False
                ),
                store,
            )
        )
        entry = await stack.enter_async_context(
            router.app.running(
                router.settings.Settings(
                    host="127.0.0.1",
                    port=0,
                    metrics_port=0,
                    matchmaker=[f"ws://127.0.0.1:{matches.port}"],
                    page=page_folder,
                )
            )
        )
        yield Chain(signals, matches, entry)
