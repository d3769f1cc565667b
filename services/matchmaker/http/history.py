"""`/api/v1/sessions/history` and `/api/v1/usage`: the sessions that have ended. The work of each request is bounded."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from matchmaker.http import record_schemas as schemas
from matchmaker.http.record_views import past_session, usage_report
from matchmaker.http.reference_api import page_bounds
from matchmaker.usage.reader import UsageReader
from pixelfleet.fleet.bounds import RECORDS_CHUNK
from pixelfleet.fleet.records import SessionRecord
from pixelfleet.fleet.store import FleetStore
from pixelfleet.net.http import json_response

SCANNED_AT_ONCE: Final = 5000
"""Records that one request examines; the next page continues behind them."""

MAX_DAYS: Final = 366
DEFAULT_DAYS: Final = 30


class History:
    """The handlers of the operations on ended sessions."""

    def __init__(self, store: FleetStore, *, recording: bool) -> None:
        """`recording` is whether sessions are recorded."""
        self._store = store
        self._recording = recording
        self._usage = UsageReader(store)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers by the names of their operations in the contract."""
        return {"history": self.history, "usage": self.usage}

    async def history(self, request: web.Request) -> web.Response:
        """Return a page of ended sessions, newest first or oldest first."""
        after, limit = page_bounds(request)
        newest_first = _order(request) == "newest"
        since, until = _time(request, "since"), _time(request, "until")
        matches = _filter(request)
        lower, upper = _id_before(since), _id_from(until)
        if after:
            lower, upper = (lower, _record_id(after)) if newest_first else (_record_id(after), upper)
        items: list[schemas.PastSession] = []
        following: str | None = None
        for _ in range(SCANNED_AT_ONCE // RECORDS_CHUNK):
            chunk = await self._store.records(after=lower, before=upper, newest_first=newest_first)
            for stored in chunk:
                if len(items) == limit:
                    return await self._page(items, following)
                following = stored.id
                if matches(stored.record):
                    items.append(past_session(stored))
            if len(chunk) < RECORDS_CHUNK:
                return await self._page(items, None)
            lower, upper = (lower, chunk[-1].id) if newest_first else (chunk[-1].id, upper)
            await asyncio.sleep(0)
        return await self._page(items, following)

    async def usage(self, request: web.Request) -> web.Response:
        """Return the usage of the latest days."""
        text = request.query.get("days", str(DEFAULT_DAYS))
        if not (text.isascii() and text.isdecimal() and len(text) < 5 and 0 < int(text) <= MAX_DAYS):
            raise web.HTTPBadRequest(reason=f"days must be a number from 1 to {MAX_DAYS}")
        totals = await self._store.totals()
        await self._usage.read()
        report = usage_report(
            self._usage.days,
            totals.now,
            days=int(text),
            app=request.query.get("app", ""),
            complete=self._usage.complete,
            recording=self._recording,
        )
        return json_response(report)

    async def _page(self, items: list[schemas.PastSession], following: str | None) -> web.Response:
        totals, count = await self._store.totals(), await self._store.count_records()
        return json_response(schemas.HistoryPage(now=totals.now, items=items, total=count, next=following))


def _filter(request: web.Request) -> Callable[[SessionRecord], bool]:
    app, who = request.query.get("app"), request.query.get("who")
    return lambda record: (not app or record.app == app) and (not who or record.who == who)


def _order(request: web.Request) -> str:
    order = request.query.get("order", "newest")
    if order not in ("newest", "oldest"):
        raise web.HTTPBadRequest(reason="order must be newest or oldest")
    return order


def _time(request: web.Request, name: str) -> float | None:
    """Return the unix time of a parameter, which may also be an ISO time; None without it. Raises HTTPBadRequest."""
    text = request.query.get(name)
    if not text:
        return None
    try:
        try:
            seconds = float(text)
        except ValueError:
            found = datetime.fromisoformat(text)
            seconds = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        if not 0 <= seconds < 10**11:
            raise ValueError
    except (ValueError, OverflowError):
        raise web.HTTPBadRequest(reason=f"{name} must be a time such as 2026-01-31T18:00:00Z or 1769882400") from None
    return seconds


def _record_id(text: str) -> str:
    """Return the id of a record in a parameter; raise HTTPBadRequest for any other text."""
    millis, _, number = text.partition("-")
    if not all(each.isascii() and each.isdecimal() and len(each) < 19 for each in (millis, number)):
        raise web.HTTPBadRequest(reason="after must be `next` of a page, or the id of a record")
    return text


def _id_from(seconds: float | None) -> str:
    """Return an id that is larger than those of all records before a time; empty without a time."""
    return "" if seconds is None else f"{round(seconds * 1000)}-0"


def _id_before(seconds: float | None) -> str:
    """Return an id that is smaller than those of all records from a time on; empty without a time."""
    millis = round(seconds * 1000) if seconds is not None else 0
    return f"{millis - 1}-{2**63 - 1}" if millis else ""
