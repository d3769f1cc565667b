"""Sends the events of the fleet store to one webhook, while this replica has the lead over it.

The store keeps the position until which events are delivered. A replica that takes the lead begins there: it may send
again what the last one has sent without recording it, with the same ids.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec
import structlog

from matchmaker.webhooks.core.extension import extension_of
from matchmaker.webhooks.core.outbox import Entry, Outbox
from matchmaker.webhooks.metrics import WebhookMetrics
from matchmaker.webhooks.post import Posted, Poster, PostError
from pixelfleet.fleet.events import Position, StoredEvent, Turn, lost_event
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.service.lifecycle import Tasks

log = structlog.get_logger(__name__)

TURN_SECONDS: Final = 1.0
"""The interval at which a sender keeps the lead, records its position and looks for new events."""

LEAD_REQUESTS: Final = 3
"""A lead lasts for the time of this many requests, and some turns. Nothing is sent in the last of them, so that a
request of the last sender has ended before another one sends."""

encode: Final = msgspec.json.Encoder().encode


class Sender:
    """The deliveries to one webhook."""

    def __init__(
        self,
        store: FleetStore,
        name: str,
        poster: Poster,
        metrics: WebhookMetrics,
        *,
        sender_id: str,
        request_seconds: float,
        retry_seconds: float,
        keep: int,
        make_outbox: Callable[[float], Outbox] = Outbox,
    ) -> None:
        """A request takes at most `request_seconds`; `keep` is the number of events that the store keeps."""
        self._store = store
        self._name = name
        self._poster = poster
        self._metrics = metrics.of(name, self)
        self._sender_id = sender_id
        self._request_seconds = request_seconds
        self._lead_seconds = LEAD_REQUESTS * request_seconds + 5 * TURN_SECONDS
        self._retry_seconds = retry_seconds
        self._keep = keep
        self._make_outbox = make_outbox
        self._outbox: Outbox | None = None
        """The deliveries of the present lead; None without the lead."""
        self._known: Position | None = None
        """The last position that the store has answered."""
        self._read = Position()
        """The position until which events are in the outbox."""
        self._latest = 0
        self._lead_until = float("-inf")
        self._turn_at = float("-inf")
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def leads(self) -> bool:
        """Whether this replica sends to the webhook."""
        return self._outbox is not None

    @property
    def pending(self) -> int:
        """The number of events in the store and in the outbox that are not delivered."""
        return self._outbox.pending + max(self._latest - self._read.number, 0) if self._outbox is not None else 0

    @property
    def delay(self) -> float:
        """How long the first event that is not delivered has been in the outbox, in seconds."""
        return self._outbox.oldest(self._loop.time()) if self._outbox is not None else 0.0

    async def run(self) -> None:
        """Send events until cancelled; then give up the lead."""
        try:
            async with Tasks() as tasks:
                while True:
                    self._changed.clear()
                    if self._loop.time() >= self._turn_at:
                        await self._take_turn()
                    self._send(tasks)
                    await self._wait()
        finally:  # no request is under way any more
            with suppress(StoreUnavailableError):
                await self._take_lead(0.0)

    # -- the lead -----------------------------------------------------------------------------------

    async def _take_turn(self) -> None:
        """Keep the lead, and read new events."""
        self._turn_at = self._loop.time() + TURN_SECONDS
        try:
            await self._take_lead(self._lead_seconds)
            await self._read_events()
        except StoreUnavailableError as error:
            log.debug("fleet store unavailable", webhook=self._name, why=str(error))

    async def _take_lead(self, seconds: float) -> None:
        """Take, keep or give up the lead. Raises StoreUnavailableError."""
        started, outbox = self._loop.time(), self._outbox
        answer = await self._store.take_turn(
            Turn(
                webhook=self._name,
                sender=self._sender_id,
                lead_seconds=seconds,
                known=outbox.position if outbox is not None else self._known,
                delivered=outbox is not None,
                keep=self._keep,
            )
        )
        self._known = answer.position
        if not answer.leads:
            if outbox is not None and seconds:
                self._lose_lead(outbox, answer.position)
            self._outbox = None
            return
        self._lead_until = started + seconds
        if outbox is None:
            log.info("webhook begins", webhook=self._name, position=str(answer.position))
            outbox = self._outbox = self._make_outbox(self._retry_seconds)
            outbox.position = self._read = answer.position
        if answer.lost_position:
            self._report_reset(outbox)
        self._latest = answer.latest

    def _lose_lead(self, outbox: Outbox, position: Position) -> None:
        """Count what nobody sends any more: events that only this replica had, after a reset of the store."""
        lost = outbox.pending if position.number < outbox.position.number else 0
        self._metrics.lost(lost)
        log.warning("webhook is sent by another replica", webhook=self._name, lost=lost)

    def _report_reset(self, outbox: Outbox) -> None:
        """Report that the store has lost its data. What is in the outbox is not lost."""
        known = max(self._latest - self._read.number, 0)
        self._lost(outbox, self._read, Position(f"reset-{self._latest}"), known, None)
        outbox.rebase()
        self._read = Position()

    # -- events -------------------------------------------------------------------------------------

    async def _read_events(self) -> None:
        """Read events into the outbox while it has room. Raises StoreUnavailableError."""
        outbox = self._outbox
        if outbox is None:
            return
        while outbox.room > 1 and (found := await self._store.events(self._read)):
            for stored in found:
                if outbox.room < 2:
                    return
                self._add(outbox, stored)
            self._latest = max(self._latest, self._read.number)

    def _add(self, outbox: Outbox, stored: StoredEvent) -> None:
        """Add an event, and before it the report of events that were lost between it and the last one."""
        gap = stored.position.number - self._read.number - 1
        if gap > 0:
            self._lost(outbox, self._read, stored.position, gap, gap)
        elif gap < 0:  # the store has lost its latest data
            self._lost(outbox, self._read, stored.position, 0, None)
        outbox.add(stored, self._loop.time())
        self._read = stored.position

    def _lost(self, outbox: Outbox, before: Position, after: Position, known: int, count: int | None) -> None:
        self._metrics.lost(known)
        log.error("events lost for a webhook", webhook=self._name, count=count, after=before.number)
        if outbox.room > 0:
            outbox.add(lost_event(before, after, self._poster.now(), count), self._loop.time())

    # -- requests -----------------------------------------------------------------------------------

    def _send(self, tasks: Tasks) -> None:
        """Begin the requests that are due."""
        now, outbox = self._loop.time(), self._outbox
        if outbox is None or now + self._request_seconds >= self._lead_until:
            return
        while (taken := outbox.take(now)) is not None:
            tasks.spawn(self._deliver(outbox, *taken))

    async def _wait(self) -> None:
        """Wait for the next turn, the next attempt, or the end of a request."""
        wake_at = self._outbox.wake_at() if self._outbox is not None else None
        until = self._turn_at if wake_at is None else min(self._turn_at, wake_at)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(until - self._loop.time(), 0.0)):
                await self._changed.wait()

    async def _deliver(self, outbox: Outbox, order: int, entry: Entry) -> None:
        event = entry.stored.event
        try:
            posted = await self._poster.post(event.id, encode(event))
        except PostError as error:
            chance = random.random()  # noqa: S311 - spreads load
            given_up = outbox.failed(order, self._loop.time(), chance, error.retry_after)
            self._metrics.failed(given_up=given_up)
            level = log.error if given_up else log.warning
            text = "event given up" if given_up else "webhook failed"
            level(text, webhook=self._name, id=event.id, type=event.type, attempt=entry.attempts, why=str(error))
        else:
            outbox.succeeded(order, self._loop.time())
            self._metrics.delivered()
            await self._obey(entry, posted)
        if outbox.pending == 0 or outbox.room < outbox.window // 2:
            self._turn_at = min(self._turn_at, self._loop.time())  # there may be more in the store
        self._changed.set()

    async def _obey(self, entry: Entry, posted: Posted) -> None:
        """Extend a session whose warning the webhook has answered with an extension."""
        if entry.stored.event.type != "session.warning" or not posted.body:
            return
        session_id = entry.stored.event.data.session
        try:
            seconds = extension_of(posted.body)
            if seconds is not None and await self._store.extend(session_id, seconds):
                log.info("session extended by a webhook", webhook=self._name, session=session_id, seconds=seconds)
        except ValueError as error:
            log.warning("answer of a webhook ignored", webhook=self._name, session=session_id, why=str(error))
        except StoreUnavailableError as error:
            log.warning("session not extended", webhook=self._name, session=session_id, why=str(error))
