"""The HTTP interface of the reference matchmaker: reservations, redirects and the list of servers."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from html import escape
from typing import Final
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from matchmaker.http import schemas, views
from matchmaker.http.contract import API, DEFAULT_LIMIT, MAX_LIMIT
from matchmaker.http.fleet_reader import FleetReader
from matchmaker.join_request import JoinRequestError, NotAllowedError
from matchmaker.origins import Origins
from matchmaker.session_urls import host_and_port, page_url, session_url
from matchmaker.settings import Settings
from matchmaker.use_limits import use_limits_of
from matchmaker.webhooks.admission import AdmissionError, AdmissionWebhook
from matchmaker.wishes import LAUNCH, Wish, Wishes
from pixelfleet.auth.guard import Enter, UseLink
from pixelfleet.auth.identity import Identity
from pixelfleet.auth.person import person_of
from pixelfleet.fleet.bounds import PAGE_ARRIVAL_SECONDS
from pixelfleet.fleet.model import Lease, Ticket
from pixelfleet.fleet.store import FleetStore, KickedError, StoreUnavailableError, TicketRefusedError
from pixelfleet.net.access import client_address, origin_allowed
from pixelfleet.net.http import json_response
from pixelfleet.net.limits import Buckets, client_key

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 3
NO_STORE: Final = {"Cache-Control": "no-store"}
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
BY_WEBSOCKET: Final = "an invite is for the page's websocket"
NONE_FREE: Final = "No signalling servers available"
UNAVAILABLE: Final = "The fleet is temporarily unavailable"
TOO_MANY: Final = "Too many requests from this address"
CLOSING: Final = "The matchmaker is restarting"


class NoReservationError(Exception):
    """No slot was reserved; the text gives the reason, `status` the HTTP status of `/signallingserver`."""

    def __init__(self, why: str, status: int = 200) -> None:
        super().__init__(why)
        self.status = status


class ReferenceApi:
    """The handlers of the reference matchmaker's paths."""

    def __init__(
        self,
        store: FleetStore,
        reader: FleetReader,
        settings: Settings,
        enter: Enter,
        use_link: UseLink,
        closing: Callable[[], bool],
        admission_webhook: AdmissionWebhook | None = None,
    ) -> None:
        """`enter` authenticates a request or raises, and `use_link` redeems its link or raises.

        `closing` returns whether the matchmaker is shutting down.
        """
        self._store = store
        self._reader = reader
        self._settings = settings
        self._origins = Origins(settings)
        self._enter = enter
        self._use_link = use_link
        self._closing = closing
        self._admission_webhook = admission_webhook
        self._wishes = Wishes(settings)
        self._key = settings.session_key.get_secret_value() if settings.session_key else None
        self._limit = Buckets(settings.offers_per_minute / 60, settings.offers_per_minute)
        self._loop = asyncio.get_running_loop()

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers by the names of their operations in the contract."""
        redirects = self._settings.redirect
        return {
            "signallingServer": self.signalling_server,
            "list": self.list,
            "root": self.redirect if redirects else self.about,
            "customHtml": self.redirect if redirects else self.nothing,
        }

    async def signalling_server(self, request: web.Request) -> web.Response:
        """Reserve a slot; without a free one, `signallingServer` is empty and `error` gives the reason."""
        try:
            lease, wish = await self._reserve(request)
        except NoReservationError as error:
            return json_response(
                schemas.NoReservation(signalling_server="", error=str(error)), status=error.status, headers=NO_STORE
            )
        return json_response(reservation_view(lease, self._key, wish), headers=NO_STORE)

    async def redirect(self, request: web.Request) -> web.Response:
        """Redirect a browser to the page of a free server; without one, answer with a page that reloads itself."""
        if request.method == "HEAD":  # it would reserve a slot without use
            raise web.HTTPMethodNotAllowed("HEAD", ["GET"])
        try:
            lease, wish = await self._reserve(request)
        except NoReservationError as error:
            if error.status == web.HTTPBadRequest.status_code:
                raise web.HTTPBadRequest(reason=str(error)) from None
            text = RETRY_PAGE.format(why=escape(str(error)), seconds=RETRY_SECONDS)
            headers = {**NO_STORE, **POLICY, "Retry-After": str(RETRY_SECONDS)}
            return web.Response(text=text, status=503, content_type="text/html", headers=headers)
        file = request.match_info.get("file")
        path = f"custom_html/{quote(file, safe='')}" if file else ""
        url = page_url(lease, self._key, path, launch_of(wish), wish.limits)
        raise web.HTTPFound(URL(url, encoded=True), headers=NO_STORE)

    async def about(self, _: web.Request) -> web.Response:
        """Describe this service."""
        return json_response(ABOUT)

    async def nothing(self, _: web.Request) -> web.Response:
        """Answer 404: pages are served in redirect mode only."""
        raise web.HTTPNotFound

    async def list(self, request: web.Request) -> web.Response:
        """Return the streamers in the format of the reference matchmaker's list."""
        after, limit = page_bounds(request, MAX_LIMIT)
        snapshot = await self._reader.snapshot()
        found, _ = views.page(views.sorted_streamers(snapshot), lambda view: view.report.key, after=after, limit=limit)
        return json_response([views.list_view(view, snapshot.now) for view in found])

    async def _reserve(self, request: web.Request) -> tuple[Lease, Wish]:
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
        if identity.invite is not None:
            raise NoReservationError(BY_WEBSOCKET, 403)
        session_id, person = uuid.uuid4().hex, person_of(identity, request.headers)
        wish = await self._decided(request, identity, session_id, address, person)
        join_request = wish.request
        ticket = Ticket(
            session_id=session_id,
            replica_id="",
            app=join_request.app,
            wants=join_request.wants,
            may_share=join_request.may_share,
            spectator=join_request.spectator,
            labels=join_request.labels,
            priority=wish.priority,
            origin=self._origins.of(identity, join_request, request.remote or "", request.headers),
            limits=wish.limits,
            use_limits=use_limits_of(identity, person, self._settings),
            person=person,
        )
        try:
            lease = await self._store.reserve(ticket)
        except StoreUnavailableError:
            raise NoReservationError(UNAVAILABLE) from None
        except TicketRefusedError as error:
            raise NoReservationError(str(error)) from None
        except KickedError as error:
            raise NoReservationError(str(error), 403) from None
        if lease is None:
            raise NoReservationError(NONE_FREE)
        await self._use_link_for(lease, identity)
        # Charged after the call of the store: concurrent requests of one client may all have passed the check above.
        self._limit.charge(client, self._loop.time())
        log.info("server reserved", session=lease.session_id, streamer=lease.streamer.key, client=address)
        return lease, wish

    async def _decided(
        self, request: web.Request, identity: Identity, session_id: str, address: str, person: str
    ) -> Wish:
        """Return what a player requests, as the admission webhook has changed it."""
        try:
            wish = self._wishes.of(request.raw_path, identity)
            if self._admission_webhook is None:
                return wish
            return await self._admission_webhook.decide(
                wish, identity, session_id=session_id, address=address, person=person
            )
        except JoinRequestError as error:
            raise NoReservationError(str(error), 400) from None
        except NotAllowedError as error:
            raise NoReservationError(str(error), 403) from None
        except AdmissionError as error:
            raise NoReservationError(str(error), error.status) from None

    async def _use_link_for(self, lease: Lease, identity: Identity) -> None:
        """Redeem a single-use link, now that there is a lease for it; without success, give the lease back."""
        try:
            await self._use_link(identity)
        except web.HTTPException:
            with suppress(StoreUnavailableError):  # it then expires
                await self._store.leave(lease.session_id)
            raise


def launch_of(wish: Wish) -> dict[str, str]:
    """Return the query parameters of a page's URL: those that only a page sends itself are not among them."""
    return {name: value for name, value in wish.forwarded.items() if name.startswith(LAUNCH)}


def reservation_view(lease: Lease, key: str | None, wish: Wish) -> schemas.Reservation:
    """Return the answer to a reservation: the reference's field, and the URL with the session token."""
    return schemas.Reservation(
        signalling_server=host_and_port(lease.streamer.url),
        url=session_url(lease, key, launch_of(wish), wish.limits),
        session_id=lease.session_id,
        app=lease.streamer.app,
        dialect=lease.streamer.dialect,
        arrival_seconds=PAGE_ARRIVAL_SECONDS,
    )


def page_bounds(request: web.Request, default: int = DEFAULT_LIMIT) -> tuple[str, int]:
    """Return `after` and `limit` of a request. Raises HTTPBadRequest."""
    text = request.query.get("limit", str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 7 and 0 < int(text) <= MAX_LIMIT):
        raise web.HTTPBadRequest(reason=f"limit must be a number from 1 to {MAX_LIMIT}")
    return request.query.get("after", ""), int(text)
