"""What the reference matchmaker answers over HTTP: a free server for a page that dials by itself, and the list."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from matchmaker.http import schemas, views
from matchmaker.http.contract import API, DEFAULT_LIMIT, MAX_LIMIT
from matchmaker.http.fleet_reader import FleetReader
from matchmaker.join_request import JoinRequestError, NotAllowedError, join_request_of
from matchmaker.session_urls import host_and_port, page_url, session_url
from matchmaker.settings import Settings
from pixelfleet.auth.guard import Enter
from pixelfleet.fleet.bounds import PAGE_ARRIVAL_SECONDS
from pixelfleet.fleet.model import Lease, Ticket
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError, TooManyChoicesError
from pixelfleet.net.access import client_address, origin_allowed
from pixelfleet.net.http import json_response
from pixelfleet.net.limits import Buckets, client_key
from pixelfleet.net.request_head import query_of

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 3
NOT_KEPT: Final = {"Cache-Control": "no-store"}
POLICY: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
RETRY_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="{seconds}">
<title>Waiting for a streamer</title>
<style>body {{ font: 1.2rem sans-serif; margin: 20vh auto; max-width: 30rem; text-align: center }}</style>
<p>{why}.</p>
<p>This page tries again every {seconds} seconds.</p>
</html>
"""

ABOUT: Final = schemas.About(service="matchmaker", players="open a websocket on this port", api=API)
NONE_FREE: Final = "No signalling servers available"
OUT_OF_REACH: Final = "The fleet is out of reach for a moment"
TOO_MANY: Final = "Too many requests from this address"
CLOSING: Final = "The matchmaker restarts"


class NoReservationError(Exception):
    """There is no lease for this request; the text says why, the status how to answer a program that asks."""

    def __init__(self, why: str, status: int = 200) -> None:
        super().__init__(why)
        self.status = status


class Rest:
    """The handlers of the reference's paths."""

    def __init__(
        self,
        store: FleetStore,
        reader: FleetReader,
        settings: Settings,
        enter: Enter,
        closing: Callable[[], bool],
    ) -> None:
        """`enter` says who asks, or raises: an offer is as good as a player's websocket."""
        self._store = store
        self._reader = reader
        self._settings = settings
        self._enter = enter
        self._closing = closing
        self._key = settings.session_key.get_secret_value() if settings.session_key else None
        self._limit = Buckets(settings.offers_per_minute / 60, settings.offers_per_minute)
        self._loop = asyncio.get_running_loop()

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers by the names of their operations."""
        redirects = self._settings.redirect
        return {
            "signallingServer": self.signalling_server,
            "list": self.list,
            "root": self.redirect if redirects else self.about,
            "customHtml": self.redirect if redirects else self.nothing,
        }

    async def signalling_server(self, request: web.Request) -> web.Response:
        """Lease a free server; without one the address is empty and the error says why, as with the reference."""
        try:
            lease = await self._reserve(request)
        except NoReservationError as none:
            return json_response(
                schemas.NoReservation(signalling_server="", error=str(none)), status=none.status, headers=NOT_KEPT
            )
        return json_response(reservation_view(lease, self._key), headers=NOT_KEPT)

    async def redirect(self, request: web.Request) -> web.Response:
        """Send a browser to a free server's page, or have it try again by itself."""
        if request.method == "HEAD":  # it would take a slot for nothing
            raise web.HTTPMethodNotAllowed("HEAD", ["GET"])
        try:
            lease = await self._reserve(request)
        except NoReservationError as none:
            if none.status == web.HTTPBadRequest.status_code:
                raise web.HTTPBadRequest(reason=str(none)) from None
            text = RETRY_PAGE.format(why=none, seconds=RETRY_SECONDS)
            headers = {**NOT_KEPT, **POLICY, "Retry-After": str(RETRY_SECONDS)}
            return web.Response(text=text, status=503, content_type="text/html", headers=headers)
        file = request.match_info.get("file")
        path = f"custom_html/{quote(file, safe='')}" if file else ""
        raise web.HTTPFound(URL(page_url(lease, self._key, path), encoded=True), headers=NOT_KEPT)

    async def about(self, _: web.Request) -> web.Response:
        """Say what this is."""
        return json_response(ABOUT)

    async def nothing(self, _: web.Request) -> web.Response:
        """Answer 404: pages are served in redirect mode only."""
        raise web.HTTPNotFound

    async def list(self, request: web.Request) -> web.Response:
        """Return the streamers as the reference lists its servers."""
        after, limit = page_wanted(request, MAX_LIMIT)
        snapshot = await self._reader.snapshot()
        found, _ = views.page(views.sorted_streamers(snapshot), lambda view: view.report.key, after=after, limit=limit)
        return json_response([views.list_view(view, snapshot.now) for view in found])

    async def _reserve(self, request: web.Request) -> Lease:
        settings = self._settings
        if not origin_allowed(request.headers.get("Origin"), settings.origins):
            raise NoReservationError("pages of this origin may not call", 403)
        if self._closing():
            raise NoReservationError(CLOSING, 503)
        address = client_address(request.remote or "", request.headers, settings.trusted_proxies)
        client = client_key(address)
        if self._limit.wait(client, self._loop.time()) > 0:
            raise NoReservationError(TOO_MANY, 429)
        identity = await self._enter(request)
        query = query_of(request.raw_path)
        try:
            join_request = join_request_of(
                query, identity, app=settings.app, labels=settings.labels, join=settings.join
            )
        except JoinRequestError as error:
            raise NoReservationError(str(error), 400) from None
        except NotAllowedError as error:
            raise NoReservationError(str(error), 403) from None
        ticket = Ticket(
            session_id=uuid.uuid4().hex,
            replica_id="",
            app=join_request.app,
            wants=join_request.wants,
            may_share=join_request.may_share,
            spectator=join_request.spectator,
            labels=join_request.labels,
            priority=identity.priority or 0,
        )
        try:
            lease = await self._store.reserve(ticket)
        except StoreUnavailableError:
            raise NoReservationError(OUT_OF_REACH) from None
        except TooManyChoicesError as error:
            raise NoReservationError(str(error)) from None
        if lease is None:
            raise NoReservationError(NONE_FREE)
        # The store was asked meanwhile: several requests of one client at once may have passed the check above.
        self._limit.charge(client, self._loop.time())
        log.info("server offered", session=lease.session_id, streamer=lease.streamer.key, client=address)
        return lease


def reservation_view(lease: Lease, key: str | None) -> schemas.Reservation:
    """Return the answer for a page that dials by itself: the reference's field, and what it needs for our servers."""
    return schemas.Reservation(
        signalling_server=host_and_port(lease.streamer.url),
        url=session_url(lease, key),
        session_id=lease.session_id,
        app=lease.streamer.app,
        dialect=lease.streamer.dialect,
        arrival_seconds=PAGE_ARRIVAL_SECONDS,
    )


def page_wanted(request: web.Request, default: int = DEFAULT_LIMIT) -> tuple[str, int]:
    """Return `after` and `limit` of a request; raise HTTPBadRequest."""
    text = request.query.get("limit", str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 7 and 0 < int(text) <= MAX_LIMIT):
        raise web.HTTPBadRequest(reason=f"limit must be a number from 1 to {MAX_LIMIT}")
    return request.query.get("after", ""), int(text)
