"""`/api/v1`: what the fleet holds, and what an operator may change about it."""

from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Any, Final, TypeVar

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from matchmaker.http import views
from matchmaker.http.events import Events
from matchmaker.http.fleet_reader import FleetReader
from matchmaker.http.reference_api import page_wanted
from pixelfleet.fleet.model import StreamerView
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.net.access import TokenGuard, client_address
from pixelfleet.net.http import json_response

log = structlog.get_logger(__name__)

OPENAPI: Final = files("matchmaker.http").joinpath("openapi.json").read_bytes()
ONE: Final = ("{id}", "{server}/{endpoint}")
"""A streamer is named by its key, with the slash in it as it is or as %2F, or by an endpoint id that no other has."""

T = TypeVar("T")


@web.middleware
async def store_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 503 while the store cannot be asked."""
    try:
        return await handler(request)
    except StoreUnavailableError:
        raise web.HTTPServiceUnavailable(reason="the fleet store is out of reach") from None


class Api:
    """The handlers of `/api/v1`."""

    def __init__(
        self,
        store: FleetStore,
        reader: FleetReader,
        events: Events,
        guard: TokenGuard,
        *,
        open_reads: bool,
        proxies: int,
    ) -> None:
        self._store = store
        self._reader = reader
        self._events = events
        self._guard = guard
        self._open_reads = open_reads
        self._proxies = proxies

    def add_to(self, app: web.Application) -> None:
        """Serve the API."""
        router, root = app.router, "/api/v1"
        router.add_get(f"{root}/openapi.json", self.definition)
        router.add_get(f"{root}/streamers", self.reads(self.streamers))
        for name in ONE:
            router.add_get(f"{root}/streamers/{name}", self.reads(self.streamer))
            router.add_post(f"{root}/streamers/{name}/drain", self.drain)
            router.add_post(f"{root}/streamers/{name}/undrain", self.undrain)
        router.add_get(f"{root}/sessions", self.reads(self.sessions))
        router.add_get(f"{root}/sessions/{{id}}", self.reads(self.session))
        router.add_delete(f"{root}/sessions/{{id}}", self.end)
        router.add_get(f"{root}/queue", self.reads(self.queue))
        router.add_get(f"{root}/apps", self.reads(self.apps))
        router.add_get(f"{root}/events", self.reads(self._events.serve), allow_head=False)

    def reads(self, handler: Handler) -> Handler:
        """Return a handler that asks for the token, unless reading is open to everybody."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if not self._open_reads:
                self._guard.check(request)
            return await handler(request)

        return guarded

    # -- reads --------------------------------------------------------------------------------------

    async def definition(self, _: web.Request) -> web.Response:
        """Return the OpenAPI document."""
        return web.Response(body=OPENAPI, content_type="application/json")

    async def streamers(self, request: web.Request) -> web.Response:
        """Return streamers by their keys."""
        snapshot = await self._reader.snapshot()
        return _page(
            request,
            snapshot.now,
            views.sorted_streamers(snapshot),
            lambda view: view.report.key,
            lambda view: view.report.app,
            lambda found: [views.streamer_view(view, snapshot.now) for view in found],
        )

    async def streamer(self, request: web.Request) -> web.Response:
        """Return one streamer."""
        return json_response(await self._shown(request))

    async def sessions(self, request: web.Request) -> web.Response:
        """Return sessions with a streamer by their ids."""
        snapshot = await self._reader.snapshot()
        return _page(
            request,
            snapshot.now,
            sorted(snapshot.leases, key=lambda lease: lease.session_id),
            lambda lease: lease.session_id,
            lambda lease: lease.streamer.app,
            lambda found: list(map(views.session_view, found)),
        )

    async def session(self, request: web.Request) -> web.Response:
        """Return one session, wherever it is."""
        snapshot, session_id = await self._reader.snapshot(), request.match_info["id"]
        for lease in snapshot.leases:
            if lease.session_id == session_id:
                return json_response(views.session_view(lease))
        for waiting in views.queue_views(snapshot.queue, snapshot.now):
            if waiting["id"] == session_id:
                return json_response({**waiting, "state": "waiting"})
        raise web.HTTPNotFound(reason="no such session")

    async def queue(self, request: web.Request) -> web.Response:
        """Return those who wait, next first."""
        snapshot = await self._reader.snapshot()
        queue = views.queue_views(snapshot.queue, snapshot.now)
        return _page(
            request,
            snapshot.now,
            list(zip(map(views.place_of, snapshot.queue), queue, strict=True)),
            lambda each: each[0],
            lambda each: str(each[1]["app"]),
            lambda found: [view for _, view in found],
        )

    async def apps(self, _: web.Request) -> web.Response:
        """Return each app in numbers."""
        return json_response(views.totals_view(await self._store.totals()))

    # -- changes ------------------------------------------------------------------------------------

    async def drain(self, request: web.Request) -> web.Response:
        """Match nobody to a streamer any more; who plays goes on."""
        return await self._hold_back(request, on=True)

    async def undrain(self, request: web.Request) -> web.Response:
        """Match players to it again."""
        return await self._hold_back(request, on=False)

    async def end(self, request: web.Request) -> web.Response:
        """End a session: its player is sent away for good by whoever holds its socket."""
        self._guard.check(request)
        session_id = request.match_info["id"]
        if not await self._store.end(session_id):
            raise web.HTTPNotFound(reason="no such session")
        self._reader.outdate()
        log.info("session ended by an operator", session=session_id, by=self._caller(request))
        return json_response({"id": session_id, "state": "ending"}, status=202)

    async def _hold_back(self, request: web.Request, *, on: bool) -> web.Response:
        self._guard.check(request)
        view = await self._find(request)
        if not await self._store.hold_back(view.report.key, on):
            raise web.HTTPNotFound(reason="no such streamer")
        self._reader.outdate()
        log.info("streamer drained" if on else "streamer undrained", streamer=view.report.key, by=self._caller(request))
        return json_response(await self._shown(request))

    async def _shown(self, request: web.Request) -> views.View:
        view = await self._find(request)
        totals = await self._store.totals()
        return views.streamer_view(view, totals.now)

    async def _find(self, request: web.Request) -> StreamerView:
        parts = request.match_info
        name = parts["id"] if "id" in parts else f"{parts['server']}/{parts['endpoint']}"
        view = await self._store.find(name)
        if view is None:
            raise web.HTTPNotFound(reason="no such streamer, or several of this endpoint id")
        return view

    def _caller(self, request: web.Request) -> str:
        return client_address(request.remote or "", request.headers, self._proxies)


def _page(
    request: web.Request,
    now: float,
    items: list[T],
    name: Callable[[T], str],
    app: Callable[[T], str],
    shown: Callable[[Iterable[T]], list[Any]],
) -> web.Response:
    """Return one page of sorted items, of one app if `?app=` says so."""
    after, limit = page_wanted(request)
    wanted = request.query.get("app")
    matching = [item for item in items if not wanted or app(item) == wanted]
    found, following = views.page(matching, name, after=after, limit=limit)
    return json_response({"now": now, "items": shown(found), "total": len(matching), "next": following})
