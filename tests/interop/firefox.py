"""Debian's Firefox ESR, which Playwright cannot drive: a client of WebDriver BiDi, as far as these tests need it."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

from tests.interop.browsers import MIDDLE, printed_version
from tests.interop.run import Run
from tests.parts import PATIENCE_SECONDS, program, require_part

FIREFOX: Final = "Firefox ESR"

PREFERENCES: Final = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.gmp-manager.updateEnabled": False,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}
"""No requests to the outside, and peer connections on a machine without a network."""

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024

_LISTENING: Final = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")


def firefox_version() -> str:
    """Return the version of Firefox; without Firefox the test is skipped, with CI=true it fails."""
    return printed_version("firefox-esr")


class FirefoxError(Exception):
    """A command that Firefox refused, or an exception in the page."""


class Bidi:
    """A session of WebDriver BiDi: commands with their results, and events for the log."""

    def __init__(self, socket: ClientConnection, run: Run) -> None:
        self._socket = socket
        self._run = run
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def receive(self) -> None:
        """Handle Firefox's messages until the connection ends."""
        async for data in self._socket:
            message = json.loads(data)
            if (waiting := self._waiting.pop(message.get("id") or 0, None)) is not None:
                if not waiting.done():
                    waiting.set_result(message)
            elif message.get("method") == "log.entryAdded":
                entry = message["params"]
                self._run.log(f"console {entry['level']}: {entry['text']}")

    async def command(self, method: str, **params: object) -> dict[str, Any]:
        """Execute a command; return its result, or raise FirefoxError."""
        number = next(self._ids)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await waiting
        if answer["type"] == "error":
            raise FirefoxError(f"{method}: {answer['error']}: {answer['message']}")
        result: dict[str, Any] = answer["result"]
        return result


@dataclass(frozen=True)
class FirefoxTab:
    """A browsing context of Firefox."""

    bidi: Bidi
    context: str

    async def open(self, url: str) -> None:
        await self.bidi.command("browsingContext.navigate", context=self.context, url=url, wait="complete")

    async def evaluate(self, function: str, argument: object = None) -> Any:
        # The result passes as JSON text, because BiDi describes objects in a form of its own.
        expression = f"Promise.resolve(({function})({json.dumps(argument)})).then((it) => JSON.stringify(it ?? null))"
        answer = await self.bidi.command(
            "script.evaluate", expression=expression, target={"context": self.context}, awaitPromise=True
        )
        if answer["type"] == "exception":
            raise FirefoxError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    async def click(self) -> None:
        x, y = MIDDLE
        move = {"type": "pointerMove", "x": x, "y": y}
        press, release = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        await self._act("pointer", move, press, release)

    async def press(self, key: str) -> None:
        await self._act("key", {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})

    async def _act(self, kind: str, *actions: dict[str, object]) -> None:
        sources = [{"type": kind, "id": kind, "actions": actions}]
        await self.bidi.command("input.performActions", context=self.context, actions=sources)


@dataclass(frozen=True)
class Firefox:
    """Debian's Firefox ESR."""

    bidi: Bidi

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[FirefoxTab]:
        context = (await self.bidi.command("browsingContext.create", type="window"))["context"]
        await self.bidi.command("browsingContext.setViewport", context=context, viewport={"width": 1280, "height": 720})
        try:
            yield FirefoxTab(self.bidi, context)
        finally:
            await self.bidi.command("browsingContext.close", context=context)


@asynccontextmanager
async def firefox(run: Run, folder: Path) -> AsyncIterator[Firefox]:
    """Run Firefox with a new profile in this folder; without Firefox the test is skipped, with CI=true it fails."""
    path = require_part("firefox-esr")
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    (folder / "user.js").write_text("\n".join(lines), encoding="utf-8")
    command = (path, "--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port=0", "about:blank")
    async with program(*command, stdout=asyncio.subprocess.DEVNULL) as process:
        assert process.stderr is not None
        url = await _address(process.stderr, run)
        reading = asyncio.create_task(_drain(process.stderr, run))
        async with connect(f"{url}/session", proxy=None, max_size=MAX_MESSAGE_BYTES) as socket:
            bidi = Bidi(socket, run)
            receiving = asyncio.create_task(bidi.receive())
            try:
                await bidi.command("session.new", capabilities={})
                await bidi.command("session.subscribe", events=["log.entryAdded"])
                yield Firefox(bidi)
            finally:
                receiving.cancel()
                reading.cancel()
                await asyncio.wait({receiving, reading})


async def _address(stderr: asyncio.StreamReader, run: Run) -> str:
    """Return the websocket URL that Firefox prints."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for line in stderr:
            run.log(f"firefox: {line.decode(errors='replace').rstrip()}")
            if found := _LISTENING.search(line):
                return found[1].decode()
    raise FirefoxError("Firefox ended before it listened")


async def _drain(stderr: asyncio.StreamReader, run: Run) -> None:
    async for line in stderr:
        run.log(f"firefox: {line.decode(errors='replace').rstrip()}")
