"""Runs every service in one process, with the memory store."""

import asyncio
import secrets
import shlex
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import bcrypt
from pydantic import SecretStr

import matchmaker.app
import matchmaker.settings
import router.app
import router.settings
import signalserver.app
import signalserver.settings
import teststreamer.app
import teststreamer.settings
import teststreamer.streamer
from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.net.addresses import local_host
from pixelfleet.service.lifecycle import background
from pixelfleet_cli.demo.settings import Settings
from pixelfleet_cli.demo.status import Screen

STREAMER_PORT: Final = 8888
OPERATOR: Final = "operator"
"""The user of the dashboard where it is not open."""
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
CONNECT_SECONDS: Final = 20.0
"""The time limit for the connection of the test streamers."""


@dataclass(slots=True)
class Demo:
    """A running demo."""

    url: str
    signalserver: signalserver.app.SignalServer
    matchmaker: matchmaker.app.Matchmaker
    router: router.app.Router
    token: str = field(repr=False)
    """The REST token. On an address other than loopback it is also the dashboard's password."""
    dashboard_user: str
    """The user name for the dashboard; empty where it is open."""
    streamers: list[teststreamer.streamer.Streamer] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)


@asynccontextmanager
async def running(settings: Settings, screen: Screen | None = None) -> AsyncIterator[Demo]:
    """Run the demo; once entered, its URL shows video. The default of `screen` is the terminal."""
    screen = screen or Screen()
    store = MemoryFleetStore()
    key, token = SecretStr(secrets.token_hex(32)), SecretStr(secrets.token_hex(16))
    async with AsyncExitStack() as stack:
        with screen.step("signalserver"):
            signals = await stack.enter_async_context(
                signalserver.app.running(
                    signalserver.settings.Settings(
                        host=settings.host,
                        player_port=0,
                        streamer_port=_streamer_port(settings),
                        sfu_port=0,
                        metrics_port=0,
                        capacity=settings.capacity,
                        session_key=key,
                        require_session=True,
                        fresh_app=settings.fresh_app,
                        app_command=_streamer_command(settings) if settings.fresh_app == "restart" else "",
                    ),
                    store,
                )
            )
        with screen.step("matchmaker"):
            matches = await stack.enter_async_context(
                matchmaker.app.running(
                    matchmaker.settings.Settings(
                        host=settings.host,
                        port=0,
                        metrics_port=0,
                        session_key=key,
                        rest_token=token,
                        legacy_link=False,
                        trusted_proxies=1,
                    ),
                    store,
                )
            )
        with screen.step("router"):
            front = await stack.enter_async_context(
                router.app.running(_router(settings, matches.port, key, token), store)
            )
        changed = signals.hub.watch()
        demo = Demo(
            f"http://{_displayed(settings.host)}:{front.port}/",
            signals,
            matches,
            front,
            token.get_secret_value(),
            "" if settings.host in LOOPBACK else OPERATOR,
        )
        with screen.step(f"{settings.streamers} test streamer{'s' if settings.streamers != 1 else ''}"):
            in_this_process = settings.streamers if settings.fresh_app == "off" else 0
            for number in range(1, in_this_process + 1):
                demo.streamers.append(
                    await stack.enter_async_context(teststreamer.app.running(_streamer(settings, signals, number)))
                )
            async with asyncio.timeout(CONNECT_SECONDS):
                for streamer in demo.streamers:
                    await streamer.connected.wait()
                while not in_this_process and len(signals.streamers) < settings.streamers:
                    await changed.wait()
                    changed.clear()
        await stack.enter_async_context(background(screen.show(demo)))
        yield demo


def _router(settings: Settings, matchmaker_port: int, key: SecretStr, token: SecretStr) -> router.settings.Settings:
    # Open on the local machine. From the network it needs the token, which the terminal shows, as a password.
    if settings.host in LOOPBACK:
        access: dict[str, Any] = {"dashboard_auth": "open", "dashboard_hosts": list(LOOPBACK)}
    else:
        # The token is random, so that a slow hash adds nothing.
        hashed = bcrypt.hashpw(token.get_secret_value().encode(), bcrypt.gensalt(4)).decode()
        access = {"dashboard_auth": "basic", "users": SecretStr(f"{OPERATOR}:{hashed}:admin")}
    return router.settings.Settings(
        host=settings.host,
        port=settings.port,
        metrics_port=0,
        matchmaker=[f"ws://{local_host(settings.host)}:{matchmaker_port}"],
        session_key=key,
        rest_token=token,
        **access,
    )


def _streamer(
    settings: Settings, signals: signalserver.app.SignalServer, number: int
) -> teststreamer.settings.Settings:
    return teststreamer.settings.Settings(
        url=f"ws://127.0.0.1:{signals.streamer_port}",
        id=f"demo-{number}",
        width=settings.width,
        height=settings.height,
        fps=settings.fps,
        sound=settings.sound,
    )


def _streamer_command(settings: Settings) -> str:
    """Return the command line of a test streamer in a process of its own."""
    start = "import sys; from pixelfleet_cli.cli import main; sys.exit(main())"
    options = {"--id": "demo-1", "--width": settings.width, "--height": settings.height, "--fps": settings.fps}
    words = [sys.executable, "-c", start, "streamer", "--url", "{url}", "--keep-marks"]
    words += [str(word) for option in options.items() for word in option]
    return shlex.join([*words, "--sound" if settings.sound else "--no-sound"])


def _streamer_port(settings: Settings) -> int:
    """Return the port for streamers: by default STREAMER_PORT, or 0 when it is taken by another demo."""
    if settings.streamer_port is not None:
        return settings.streamer_port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", STREAMER_PORT))
        except OSError:
            return 0
    return STREAMER_PORT


def _displayed(host: str) -> str:
    """Return the host of the displayed URL."""
    local = local_host(host)
    return "localhost" if local == "127.0.0.1" or host == "::" else local
