"""The fleet as it changes, as server-sent events: for dashboards.

A listener hears `totals` every second, all `streamers` once and then those that have changed or are gone.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import msgspec
import structlog
from aiohttp import web

from matchmaker.http import schemas, views
from matchmaker.http.fleet_reader import FleetReader
from pixelfleet.fleet.model import FleetSnapshot
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.net.http import CORS_HEADERS
from pixelfleet.net.openapi import EVENT_STREAM, Error

log = structlog.get_logger(__name__)

PUSH_SECONDS: Final = 1.0
RETRY_MILLISECONDS: Final = 2000
MAX_LISTENERS: Final = 100
MAX_BEHIND: Final = 64
"""Events that wait for a listener; one that is further behind is dropped, and comes back by itself."""

WRITE_SECONDS: Final = 10.0
STREAMERS_AT_ONCE: Final = 200
MANY: Final = 2000
"""Changes at once that are as much as the whole fleet."""

HEADERS: Final = {
    "Content-Type": EVENT_STREAM,
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events until it has a buffer full
}


_encode: Final = msgspec.json.Encoder().encode


def event(name: str, data: msgspec.Struct) -> bytes:
    """Return one event as it is sent."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode(data))


def streamer_events(
    changed: Mapping[str, schemas.Streamer], gone: list[str], *, whole: bool = False
) -> Iterator[bytes]:
    """Return events that tell of streamers, so many in each; the first of a whole fleet says so."""
    if gone:
        for at in range(0, len(gone), STREAMERS_AT_ONCE):
            yield event(
                "streamers",
                schemas.StreamersEvent(whole=False, changed=[], gone=gone[at : at + STREAMERS_AT_ONCE]),
            )
    rest = iter(changed.values())
    while (part := list(islice(rest, STREAMERS_AT_ONCE))) or whole:
        yield event("streamers", schemas.StreamersEvent(whole=whole, changed=part, gone=[]))
        whole = False


def differences(
    before: Mapping[str, schemas.Streamer], now: Mapping[str, schemas.Streamer]
) -> tuple[dict[str, schemas.Streamer], list[str]]:
    """Return the streamers that are new or not what they were, and the keys of those that are gone."""
    changed = {key: view for key, view in now.items() if view != before.get(key)}
    return changed, [key for key in before if key not in now]


@dataclass(slots=True, eq=False)
class Listener:
    """One who listens."""

    waiting: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(MAX_BEHIND))
    begun: bool = False
    """Whether it has been told of all streamers, or is being told."""
    dropped: bool = False

    def push(self, data: bytes | None) -> None:
        """Have an event sent, or with None the end; one too many drops the listener."""
        if not self.waiting.full():
            self.waiting.put_nowait(data)
            return
        self.dropped = True
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class Events:
    """Reads the fleet while somebody listens, once for all listeners."""

    def __init__(self, store: FleetStore, reader: FleetReader, *, max_listeners: int = MAX_LISTENERS) -> None:
        self._store = store
        self._reader = reader
        self._max = max_listeners
        self._listeners: set[Listener] = set()
        self._streamers: dict[str, schemas.Streamer] | None = None
        """As they were told last; it is replaced and never changed. None when nobody listens."""
        self._called = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._listeners)

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await self._called.wait()
            try:
                await self.push()
            except StoreUnavailableError as error:
                log.debug("listeners are told nothing new", why=str(error))
                self._push_all(event("unavailable", Error(error="the fleet store is out of reach")))
            await asyncio.sleep(PUSH_SECONDS)
            if not self._listeners:
                self._called.clear()
                self._streamers = None

    async def push(self) -> None:
        """Read, and tell everyone what is so and what has changed; raise StoreUnavailableError."""
        totals = views.totals_view(await self._store.totals())
        snapshot = await self._reader.snapshot()
        before, now = self._streamers or {}, await self._views(snapshot)
        changed, gone = differences(before, now)
        if len(changed) + len(gone) > MANY:
            for listener in self._listeners:
                listener.begun = False  # it is told of the whole fleet, at its own pace
        self._streamers = now
        self._push_all(event("totals", totals))
        for headers in streamer_events(changed, gone):
            self._push_all(headers, begun=True)

    def close(self) -> None:
        """Let every listener go, and take no more."""
        self._closed = True
        self._push_all(None)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with events until the listener leaves or is too slow."""
        if self._closed or len(self._listeners) >= self._max:
            raise web.HTTPServiceUnavailable(reason="no room for another listener")
        listener = Listener()
        self._listeners.add(listener)
        self._called.set()
        response = web.StreamResponse(headers={**HEADERS, **request.get(CORS_HEADERS, {})})
        try:
            await response.prepare(request)
            async with aclosing(self._events(listener)) as headers:
                async for data in headers:
                    async with asyncio.timeout(WRITE_SECONDS):
                        await response.write(data)
        except (TimeoutError, ConnectionError):
            listener.dropped = True
        finally:
            self._listeners.discard(listener)
        if listener.dropped and request.transport is not None:
            request.transport.abort()
        return response

    async def _views(self, snapshot: FleetSnapshot) -> dict[str, schemas.Streamer]:
        """Return how the streamers are shown, a part at a time."""
        shown: dict[str, schemas.Streamer] = {}
        rest = iter(views.sorted_streamers(snapshot))
        while part := list(islice(rest, STREAMERS_AT_ONCE)):
            shown |= {view.report.key: views.streamer_view(view, snapshot.now) for view in part}
            await asyncio.sleep(0)
        return shown

    async def _events(self, listener: Listener) -> AsyncGenerator[bytes]:
        yield b"retry: %d\n\n" % RETRY_MILLISECONDS
        while (data := await listener.waiting.get()) is not None:
            if not listener.begun and self._streamers is not None:
                listener.begun = True  # what changes while this is being sent comes behind it
                for part in streamer_events(self._streamers, [], whole=True):
                    yield part
            yield data

    def _push_all(self, data: bytes | None, *, begun: bool = False) -> None:
        """Tell everyone, or those alone who know what it changes."""
        for listener in list(self._listeners):
            if listener.begun or not begun:
                listener.push(data)
            if listener.dropped:
                log.warning("a listener is too slow and is dropped")
                self._listeners.discard(listener)
