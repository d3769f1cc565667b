"""Changes of the fleet as server-sent events, for dashboards.

A listener receives `totals` every second, all `streamers` once, and then the changed and removed ones. While events are
on, it also receives each new event of the store as `event`, which shows who played only if the listener may see that.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import msgspec
import structlog
from aiohttp import web
from msgspec.structs import replace

from matchmaker.http import schemas, views
from matchmaker.http.fleet_reader import FleetReader
from pixelfleet.fleet.events import Event, Position, lost_event
from pixelfleet.fleet.model import FleetSnapshot
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.net.http import CORS_HEADERS
from pixelfleet.net.openapi import EVENT_STREAM, Error

log = structlog.get_logger(__name__)

PUSH_SECONDS: Final = 1.0
RETRY_MILLISECONDS: Final = 2000
MAX_LISTENERS: Final = 100
MAX_PENDING_EVENTS: Final = 64
"""Events in the queue of a listener. A slower listener is disconnected; browsers reconnect automatically."""

WRITE_SECONDS: Final = 10.0
STREAMERS_PER_EVENT: Final = 200
EVENT_BATCHES: Final = 8
"""Batches of events that are read in one push; the others follow with the next one."""

MAX_CHANGES: Final = 2000
"""With more changes at once, listeners receive the whole fleet again."""

HEADERS: Final = {
    "Content-Type": EVENT_STREAM,
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # otherwise nginx buffers events
}


_encode: Final = msgspec.json.Encoder().encode


def event(name: str, data: msgspec.Struct) -> bytes:
    """Return one event in the format of server-sent events."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode(data))


def streamer_events(
    changed: Mapping[str, schemas.Streamer], gone: list[str], *, whole: bool = False
) -> Iterator[bytes]:
    """Yield `streamers` events of bounded size; with `whole`, the first one begins a new list of all streamers."""
    if gone:
        for at in range(0, len(gone), STREAMERS_PER_EVENT):
            yield event(
                "streamers",
                schemas.StreamersEvent(whole=False, changed=[], gone=gone[at : at + STREAMERS_PER_EVENT]),
            )
    remaining = iter(changed.values())
    while (batch := list(islice(remaining, STREAMERS_PER_EVENT))) or whole:
        yield event("streamers", schemas.StreamersEvent(whole=whole, changed=batch, gone=[]))
        whole = False


def differences(
    before: Mapping[str, schemas.Streamer], now: Mapping[str, schemas.Streamer]
) -> tuple[dict[str, schemas.Streamer], list[str]]:
    """Return the new and changed streamers, and the keys of the removed ones."""
    changed = {key: view for key, view in now.items() if view != before.get(key)}
    return changed, [key for key in before if key not in now]


def without_names(whole: Event) -> Event:
    """Return an event without what tells who played: the record of the session and the digest of the person."""
    return replace(whole, data=replace(whole.data, person="", record=None))


@dataclass(slots=True, eq=False)
class Listener:
    """One connected client, and its pending events."""

    named: bool = False
    """Whether its events have the names and addresses of players."""
    waiting: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(MAX_PENDING_EVENTS))
    has_streamers: bool = False
    """Whether it has received all streamers, or is receiving them."""
    dropped: bool = False

    def push(self, data: bytes | None) -> None:
        """Queue an event, or None to end the stream. A full queue drops the listener."""
        if not self.waiting.full():
            self.waiting.put_nowait(data)
            return
        self.dropped = True
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class Events:
    """Reads the fleet while there are listeners, once for all of them."""

    def __init__(
        self,
        store: FleetStore,
        reader: FleetReader,
        *,
        names_players: Callable[[web.Request], bool],
        max_listeners: int = MAX_LISTENERS,
    ) -> None:
        """`names_players` returns whether the answer to a request may have the names and addresses of players."""
        self._store = store
        self._names_players = names_players
        self._reader = reader
        self._max = max_listeners
        self._listeners: set[Listener] = set()
        self._streamers: dict[str, schemas.Streamer] | None = None
        """The streamers as last sent; replaced, never modified. None without listeners."""
        self._position: Position | None = None
        """The position until which events are sent; None without listeners."""
        self._has_listeners = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._listeners)

    async def run(self) -> None:
        """Send events every PUSH_SECONDS while there are listeners, until cancelled."""
        while True:
            await self._has_listeners.wait()
            try:
                await self.push()
            except StoreUnavailableError as error:
                log.debug("fleet store unavailable", why=str(error))
                self._push_all(event("unavailable", Error(error="the fleet store is unavailable")))
            await asyncio.sleep(PUSH_SECONDS)
            if not self._listeners:
                self._has_listeners.clear()
                self._streamers = self._position = None

    async def push(self) -> None:
        """Read the fleet, and send totals and changes to all listeners. Raises StoreUnavailableError."""
        totals = views.totals_view(await self._store.totals())
        snapshot = await self._reader.snapshot()
        before, now = self._streamers or {}, await self._views(snapshot)
        changed, gone = differences(before, now)
        if len(changed) + len(gone) > MAX_CHANGES:
            for listener in self._listeners:
                listener.has_streamers = False  # it receives the whole fleet, at its own pace
        self._streamers = now
        self._push_all(event("totals", totals))
        for data in streamer_events(changed, gone):
            self._push_all(data, changes=True)
        await self._push_events()

    async def _push_events(self) -> None:
        """Send the events since the last push, and report those that were lost. Raises StoreUnavailableError."""
        if self._position is None:
            latest = await self._store.events(None)
            self._position = latest[0].position if latest else Position()
            return
        for _ in range(EVENT_BATCHES):
            if not (found := await self._store.events(self._position)):
                return
            events = []
            for stored in found:
                gap = stored.position.number - self._position.number - 1
                if gap:
                    lost = lost_event(self._position, stored.position, time.time(), gap if gap > 0 else None)
                    events.append(lost.event)
                events.append(stored.event)
                self._position = stored.position
            for named in {listener.named for listener in self._listeners}:
                shown = events if named else map(without_names, events)
                data = b"".join(event("event", each) for each in shown)
                self._push_all(data, to=[listener for listener in self._listeners if listener.named is named])

    def close(self) -> None:
        """End the streams of all listeners, and accept no more."""
        self._closed = True
        self._push_all(None)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with events until the listener disconnects or is too slow."""
        if self._closed or len(self._listeners) >= self._max:
            raise web.HTTPServiceUnavailable(reason="too many listeners")
        listener = Listener(self._names_players(request))
        self._listeners.add(listener)
        self._has_listeners.set()
        response = web.StreamResponse(headers={**HEADERS, **request.get(CORS_HEADERS, {})})
        try:
            await response.prepare(request)
            async with aclosing(self._events(listener)) as stream:
                async for data in stream:
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
        """Return the streamers as REST objects by key, converted in batches."""
        streamers: dict[str, schemas.Streamer] = {}
        remaining = iter(views.sorted_streamers(snapshot))
        while batch := list(islice(remaining, STREAMERS_PER_EVENT)):
            streamers |= {view.report.key: views.streamer_view(view, snapshot.now) for view in batch}
            await asyncio.sleep(0)
        return streamers

    async def _events(self, listener: Listener) -> AsyncGenerator[bytes]:
        yield b"retry: %d\n\n" % RETRY_MILLISECONDS
        while (data := await listener.waiting.get()) is not None:
            if not listener.has_streamers and self._streamers is not None:
                listener.has_streamers = True  # later changes are queued behind this
                for part in streamer_events(self._streamers, [], whole=True):
                    yield part
            yield data

    def _push_all(self, data: bytes | None, *, changes: bool = False, to: Collection[Listener] | None = None) -> None:
        """Queue an event for all listeners, or those of `to`; `changes` only for those that have the streamers."""
        for listener in list(self._listeners if to is None else to):
            if listener.has_streamers or not changes:
                listener.push(data)
            if listener.dropped:
                log.warning("listener dropped: too slow")
                self._listeners.discard(listener)
