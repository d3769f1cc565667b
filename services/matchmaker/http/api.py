"""`/api/v1`: the state of the fleet, and the operator's actions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, Generic, TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from matchmaker.http import schemas, views
from matchmaker.http.events import Events
from matchmaker.http.fleet_reader import FleetReader
from matchmaker.http.invitations import Invitations
from matchmaker.http.reference_api import page_bounds
from pixelfleet.fleet.audit import Audit
from pixelfleet.fleet.model import StreamerView
from pixelfleet.fleet.operators import OperatorReader
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.net.extension import extension_seconds
from pixelfleet.net.http import json_response

OPENAPI: Final = files("matchmaker.http").joinpath("openapi.json").read_bytes()
T = TypeVar("T")


@web.middleware
async def store_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 503 while the store is unavailable."""
    try:
        return await handler(request)
    except StoreUnavailableError:
        raise web.HTTPServiceUnavailable(reason="the fleet store is unavailable") from None


class Api:
    """The handlers of `/api/v1`."""

    def __init__(
        self,
        store: FleetStore,
        reader: FleetReader,
        events: Events,
        operators: OperatorReader,
        invitations: Invitations,
        *,
        kick_seconds: float,
        names_players: Callable[[web.Request], bool],
    ) -> None:
        """`names_players` returns whether the answer to a request may have the names and addresses of players."""
        self._store = store
        self._reader = reader
        self._events = events
        self._operators = operators
        self._invitations = invitations
        self._audit = Audit(store, "matchmaker")
        self._kick_seconds = kick_seconds
        self._names_players = names_players

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers by the names of their operations in the contract."""
        return {
            "definition": self.definition,
            "streamers": self.streamers,
            "streamer": self.streamer,
            "streamerByParts": self.streamer,
            "drain": self.drain,
            "drainByParts": self.drain,
            "undrain": self.undrain,
            "undrainByParts": self.undrain,
            "sessions": self.sessions,
            "session": self.session,
            "endSession": self.end,
            "extendSession": self.extend,
            "invite": self.invite,
            "queue": self.queue,
            "apps": self.apps,
            "audit": self.audit,
            "events": self._events.serve,
        }

    # -- reads --------------------------------------------------------------------------------------

    async def definition(self, _: web.Request) -> web.Response:
        """Return the OpenAPI document."""
        return web.Response(body=OPENAPI, content_type="application/json")

    async def streamers(self, request: web.Request) -> web.Response:
        """Return a page of streamers, sorted by key."""
        snapshot = await self._reader.snapshot()
        part = _part(
            request, views.sorted_streamers(snapshot), lambda view: view.report.key, lambda view: view.report.app
        )
        shown = [views.streamer_view(view, snapshot.now) for view in part.items]
        return json_response(schemas.StreamerPage(now=snapshot.now, items=shown, total=part.total, next=part.next))

    async def streamer(self, request: web.Request) -> web.Response:
        """Return one streamer."""
        return json_response(await self._current(request))

    async def sessions(self, request: web.Request) -> web.Response:
        """Return a page of the sessions with a streamer, sorted by id."""
        snapshot = await self._reader.snapshot()
        leases = sorted(snapshot.leases, key=lambda lease: lease.session_id)
        part = _part(request, leases, lambda lease: lease.session_id, lambda lease: lease.streamer.app)
        named = self._names_players(request)
        shown = [views.session_view(lease, named=named) for lease in part.items]
        return json_response(schemas.SessionPage(now=snapshot.now, items=shown, total=part.total, next=part.next))

    async def session(self, request: web.Request) -> web.Response:
        """Return one session, in the queue or with a streamer."""
        snapshot, session_id = await self._reader.snapshot(), request.match_info["id"]
        for lease in snapshot.leases:
            if lease.session_id == session_id:
                return json_response(views.session_view(lease, named=self._names_players(request)))
        for waiting in views.queue_views(snapshot.queue, snapshot.now):
            if waiting.id == session_id:
                return json_response(msgspec.structs.replace(waiting, state="waiting"))
        raise web.HTTPNotFound(reason="no such session")

    async def queue(self, request: web.Request) -> web.Response:
        """Return a page of the queue, next first."""
        snapshot = await self._reader.snapshot()
        queue = views.queue_views(snapshot.queue, snapshot.now)
        named = list(zip(map(views.queue_page_name, snapshot.queue), queue, strict=True))
        part = _part(request, named, lambda each: each[0], lambda each: each[1].app)
        shown = [waiting for _, waiting in part.items]
        return json_response(schemas.QueuePage(now=snapshot.now, items=shown, total=part.total, next=part.next))

    async def apps(self, _: web.Request) -> web.Response:
        """Return the totals of each application."""
        return json_response(views.totals_view(await self._store.totals()))

    async def audit(self, request: web.Request) -> web.Response:
        """Return a page of the changes by operators, newest first."""
        after, limit = page_bounds(request)
        events, totals = await self._store.audit(), await self._store.totals()
        # Ids are times, which fall from event to event.
        older = [event for event in events if not after or len(event.id) < len(after) or event.id < after]
        shown = list(map(views.audit_view, older[:limit]))
        following = shown[-1].id if len(older) > limit else None
        return json_response(schemas.AuditPage(now=totals.now, items=shown, total=len(events), next=following))

    # -- changes ------------------------------------------------------------------------------------

    async def drain(self, request: web.Request) -> web.Response:
        """Match no more players to a streamer; its sessions continue."""
        return await self._set_operator_drain(request, on=True)

    async def undrain(self, request: web.Request) -> web.Response:
        """Match players to a streamer again."""
        return await self._set_operator_drain(request, on=False)

    async def end(self, request: web.Request) -> web.Response:
        """End a session: the service with its player's connection closes it, and the page does not reconnect."""
        session_id = request.match_info["id"]
        operator = self._operators.read(request.remote or "", request.headers)
        if not await self._store.end(session_id, kick_seconds=self._kick_seconds, operator=operator.subject):
            server_id = await self._reader.server_of(session_id)
            if server_id is None or not await self._store.end(session_id, server_id=server_id):
                raise web.HTTPNotFound(reason="no such session")
        self._reader.invalidate()
        await self._record("end", session_id, request)
        return json_response(schemas.Ending(id=session_id, state="ending"), status=202)

    async def extend(self, request: web.Request) -> web.Response:
        """Let a session last longer: the signalling server with its player extends it."""
        session_id, seconds = request.match_info["id"], extension_seconds(request)
        if not await self._store.extend(session_id, seconds):
            server_id = await self._reader.server_of(session_id)
            if server_id is None or not await self._store.extend(session_id, seconds, server_id=server_id):
                raise web.HTTPNotFound(reason="no such session")
        await self._record(f"extend {seconds:g} s", session_id, request)
        return json_response(schemas.Extension(id=session_id, seconds=seconds, state="extending"), status=202)

    async def invite(self, request: web.Request) -> web.Response:
        """Make an invite to a session."""
        made = await self._invitations.make(request)
        await self._record(f"invite {made.role}", made.session, request)
        return json_response(made, status=201)

    async def _set_operator_drain(self, request: web.Request, *, on: bool) -> web.Response:
        view = await self._find(request)
        if not await self._store.set_operator_drain(view.report.key, on):
            raise web.HTTPNotFound(reason="no such streamer")
        self._reader.invalidate()
        await self._record("drain" if on else "undrain", view.report.key, request)
        return json_response(await self._current(request))

    async def _current(self, request: web.Request) -> schemas.Streamer:
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

    async def _record(self, action: str, target: str, request: web.Request) -> None:
        await self._audit.record(action, target, self._operators.read(request.remote or "", request.headers))


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One page of a list."""

    items: list[T]
    total: int
    next: str | None


def _part(request: web.Request, items: list[T], name: Callable[[T], str], app: Callable[[T], str]) -> Part[T]:
    """Return the requested page of sorted items; with `?app=`, only those of one application.

    `name` gives the name of an item for `?after=`, `app` its application. Raises HTTPBadRequest.
    """
    after, limit = page_bounds(request)
    requested_app = request.query.get("app")
    matching = [item for item in items if not requested_app or app(item) == requested_app]
    found, following = views.page(matching, name, after=after, limit=limit)
    return Part(found, len(matching), following)
