"""Annotates this server's Kubernetes pod while it has sessions, so that scaling down removes idle pods first.

Kubernetes removes pods that are not ready first, whatever their deletion cost; there the drain protects players. The
annotations order the ready pods, and keep node autoscalers from evicting a busy pod.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import structlog

from pixelfleet.kube.client import KubeClient, KubeError, KubeObject, in_cluster
from pixelfleet.service.backoff import DEFAULT_BACKOFF
from pixelfleet.service.lifecycle import background
from signalserver.core.roster import K, Subscriber
from signalserver.hub import Hub
from signalserver.metrics import Metrics
from signalserver.settings import Settings

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
SAFE_TO_EVICT: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict"
DO_NOT_DISRUPT: Final = "karpenter.sh/do-not-disrupt"

log = structlog.get_logger(__name__)


def is_busy(players: Iterable[Subscriber[K]]) -> bool:
    """Return whether there is a player with a subscription or an admission."""
    return any(player.admission is not None or player.subscribed_to is not None for player in players)


def marks_of(busy: bool) -> KubeObject:
    """Return the patch that annotates a pod as busy or idle.

    An idle pod is explicitly safe to evict, because the cluster autoscaler keeps pods with local volumes otherwise.
    """
    return {
        "metadata": {
            "annotations": {
                DELETION_COST: "100" if busy else "0",
                SAFE_TO_EVICT: "false" if busy else "true",
                DO_NOT_DISRUPT: "true" if busy else None,
            }
        }
    }


class PodMarks:
    """Keeps the annotations of one pod: written at the start, and then when the pod becomes busy or idle."""

    def __init__(
        self,
        client: KubeClient,
        hub: Hub,
        namespace: str,
        name: str,
        *,
        chance: Callable[[], float] = random.random,
        retry: Callable[[int, float], float] = DEFAULT_BACKOFF.delay,
    ) -> None:
        self._client = client
        self._hub = hub
        self._changed = hub.watch()
        self._path = f"api/v1/namespaces/{namespace}/pods/{name}"
        self._chance, self._retry = chance, retry
        self._written: bool | None = None
        self._in_a_row = 0
        self.failures = 0

    async def run(self) -> None:
        """Keep the annotations current until cancelled."""
        while True:
            self._changed.clear()
            busy = is_busy(self._hub.switchboard.players())
            if busy is self._written:
                await self._changed.wait()
            elif not await self._write(busy):
                await asyncio.sleep(self._retry(self._in_a_row, self._chance()))

    async def _write(self, busy: bool) -> bool:
        try:
            await self._client.patch(self._path, marks_of(busy))
        except KubeError as error:
            self.failures += 1
            self._in_a_row += 1
            # The pod's annotations are unknown now: the response may have been lost.
            self._written = None
            if self._in_a_row == 1:
                log.warning("pod annotations failed", busy=busy, why=str(error))
            return False
        if self._in_a_row:
            log.info("pod annotations recovered", busy=busy)
        self._written, self._in_a_row = busy, 0
        return True


@asynccontextmanager
async def marking(
    settings: Settings, session: aiohttp.ClientSession, hub: Hub, metrics: Metrics
) -> AsyncIterator[None]:
    """Keep the annotations of the pod in the settings, if any; raise UsageError outside a cluster."""
    if not settings.pod_name:
        yield
        return
    cluster = await asyncio.to_thread(in_cluster)
    marks = PodMarks(KubeClient(session, cluster), hub, settings.pod_namespace, settings.pod_name)
    metrics.watch_marks(lambda: marks.failures)
    async with background(marks.run()):
        yield
