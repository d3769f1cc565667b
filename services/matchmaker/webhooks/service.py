"""Assembles the webhooks of one replica."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from matchmaker.settings import Settings
from matchmaker.webhooks.admission import AdmissionWebhook
from matchmaker.webhooks.core.outbox import CONCURRENCY
from matchmaker.webhooks.metrics import WebhookMetrics
from matchmaker.webhooks.post import Poster, client_session
from matchmaker.webhooks.sender import Sender
from pixelfleet.fleet.events import Turn
from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.net.tls import client_context

log = structlog.get_logger(__name__)

KEEP_ON_SECONDS: Final = 1.0
"""The interval at which events are kept on without webhooks, so that they begin again soon after a store reset."""

ADMISSIONS: Final = 64
"""Simultaneous questions to the admission webhook."""


@dataclass(slots=True)
class Webhooks:
    """The webhooks of one replica."""

    work: list[Coroutine[Any, Any, None]] = field(default_factory=list)
    """What has to run while the service runs."""
    admission: AdmissionWebhook | None = None


@asynccontextmanager
async def open_webhooks(
    settings: Settings, store: FleetStore, replica_id: str, metrics: WebhookMetrics
) -> AsyncIterator[Webhooks]:
    """Yield the webhooks of the settings; raise UsageError for a CA that cannot be used."""
    webhooks = Webhooks()
    if settings.events and not settings.webhooks:
        webhooks.work.append(_keep_on(store, settings.event_queue))
    if not settings.webhooks and not settings.admission_webhook:
        yield webhooks
        return
    tls = await client_context(settings.webhook_ca, "--webhook-ca")
    requests = CONCURRENCY * len(settings.webhooks) + ADMISSIONS
    async with client_session(tls, requests) as session:
        for name, url in settings.webhooks.items():
            sender = Sender(
                store,
                name,
                Poster(session, url, settings.webhook_keys, settings.webhook_seconds),
                metrics,
                sender_id=replica_id,
                request_seconds=settings.webhook_seconds,
                retry_seconds=settings.webhook_retry_seconds,
                keep=settings.event_queue,
            )
            webhooks.work.append(sender.run())
        if settings.admission_webhook:
            url, seconds = settings.admission_webhook, settings.admission_seconds
            webhooks.admission = AdmissionWebhook(
                Poster(session, url, settings.webhook_keys, seconds),
                metrics,
                labels=settings.labels,
                seconds=seconds,
                allow_by_default=settings.admission_default == "allow",
                concurrency=ADMISSIONS,
            )
        yield webhooks


async def _keep_on(store: FleetStore, keep: int) -> None:
    """Keep events on, for listeners."""
    while True:
        try:
            await store.take_turn(Turn(webhook="", sender="", lead_seconds=0.0, keep=keep))
        except StoreUnavailableError as error:
            log.debug("fleet store unavailable", why=str(error))
        await asyncio.sleep(KEEP_ON_SECONDS)
