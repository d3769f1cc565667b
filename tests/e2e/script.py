"""A scripted matchmaker behind a real router, which brings the page into any state."""

import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from router.app import Router, running
from router.settings import PAGE, Settings

Message = dict[str, Any]


@dataclass(slots=True)
class Script:
    """The messages for the next players, and the messages received from them."""

    url: str = ""
    port: int = 0
    """The port of the matchmaker itself."""
    router: Router | None = None
    messages: Sequence[Message] = ()
    closes: tuple[int, str] | None = None
    """A close code and reason for the next player only; later ones get the messages and stay connected."""
    received: list[Message] = field(default_factory=list)
    players: int = 0

    async def play(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one player."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.players += 1
        messages, closes = self.messages, self.closes
        self.closes = None
        if closes is not None:
            self.messages = ()
        for message in messages:
            await socket.send_json(message)
        if closes is not None:
            await socket.close(code=closes[0], message=closes[1].encode())
        async for data in socket:
            if data.type is WSMsgType.TEXT:
                self.received.append(data.json())
        return socket


@asynccontextmanager
async def scripted(page: Path | None = None, **settings: Any) -> AsyncIterator[Script]:
    """Run a router in front of a scripted matchmaker; `page` is a folder to use instead of the built page."""
    script = Script()
    app = web.Application()
    app.router.add_get("/", script.play)
    async with serving(app) as port, front_of([f"ws://127.0.0.1:{port}"], page, **settings) as entry:
        script.port = port
        script.router = entry
        script.url = f"http://127.0.0.1:{entry.port}/"
        yield script


@asynccontextmanager
async def front_of(matchmakers: list[str], page: Path | None = None, **settings: Any) -> AsyncIterator[Router]:
    """Run a separate router in front of the matchmakers at these URLs."""
    if page is not None:
        settings["page"] = page
    chosen = Settings(host="127.0.0.1", port=0, metrics_port=0, matchmaker=matchmakers, **settings)
    async with running(chosen) as entry:
        yield entry


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[int]:
    """Serve an app on a free port of 127.0.0.1; yield the port."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def page_copy(folder: Path, **documents: object) -> Path:
    """Copy the built page into a folder, with other documents: `page_copy(folder, page={"parents": [...]})`."""
    copy = folder / "page"
    shutil.copytree(PAGE, copy)
    for name, content in documents.items():
        (copy / f"{name}.json").write_text(json.dumps(content))
    return copy
