"""Assembles and runs the TURN API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import structlog
from aiohttp import web
from yarl import URL

from pixelfleet.kube.client import Cluster, KubeClient, in_cluster
from pixelfleet.net.http import errors_as_json
from pixelfleet.net.ports import metrics_port, plain_port
from pixelfleet.service.lifecycle import background
from turnapi.cluster import Nodes, Pods
from turnapi.contract import CONTRACT
from turnapi.ice import parse_servers
from turnapi.metrics import Metrics
from turnapi.rest import Rest
from turnapi.settings import Settings
from turnapi.sources import ServersFile, Source, StaticServers

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class TurnApi:
    """A running TURN API."""

    source: Source
    rest: Rest
    port: int = 0
    metrics_port: int = 0

    def unready(self) -> str | None:
        """Return why the API is not ready; None when it is."""
        return self.rest.unready()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[TurnApi]:
    """Run a TURN API; once entered, it listens."""
    async with AsyncExitStack() as stack:
        source = await _source(settings, stack)
        metrics = Metrics(source)
        rest = Rest(
            source,
            settings.credential_issuer(),
            settings.answer_options(),
            metrics,
            lifetime=settings.lifetime,
            streamer_lifetime=settings.streamer_lifetime,
        )
        api = TurnApi(source, rest)
        app = web.Application(middlewares=[errors_as_json])
        CONTRACT.add_to(app, rest.handlers())
        api.port = await stack.enter_async_context(
            plain_port(app, host=settings.host, port=settings.port, option="--port")
        )
        api.metrics_port = await stack.enter_async_context(
            metrics_port(api, metrics.registries, host=settings.host, port=settings.metrics_port)
        )
        await stack.enter_async_context(background(source.run()))
        log.info("turn-api listens", port=api.port, metrics=api.metrics_port, servers=len(source.servers))
        yield api


async def _source(settings: Settings, stack: AsyncExitStack) -> Source:
    """Return the configured source of servers; raise UsageError when it is unusable."""
    if settings.server:
        return StaticServers(parse_servers(settings.server))
    if settings.servers_file is not None:
        file = ServersFile(settings.servers_file, settings.reread_seconds)
        await file.load()
        return file
    cluster = Cluster(URL(settings.kube_api)) if settings.kube_api else await asyncio.to_thread(in_cluster)
    session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
    client, kind = KubeClient(session, cluster), settings.node_address
    if not settings.pod_label:
        return Nodes(client, settings.node_label, kind)
    return Pods(client, settings.pod_namespace, settings.pod_label, node_label=settings.node_label, kind=kind)
