"""Marks this server's pod in Kubernetes while somebody plays, so that scaling down takes idle pods first.

Kubernetes removes pods that are not ready before all others, whatever they cost: what protects players then is the
drain. The marks decide among the ready ones, and keep autoscalers of nodes away from a busy pod.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import structlog

from pixelfleet.kube.client import KubeClient, KubeError, KubeObject, in_cluster
from pixelfleet.service.backoff import retry_delay
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
    """Return whether somebody plays, looks on or has just been sent here."""
    return any(player.admission is not None or player.subscribed_to is not None for player in players)


def marks_of(busy: bool) -> KubeObject:
    """Return the change to a pod that says whether it is busy.

    An idle pod is said to be safe to evict in so many words: its volumes would make the cluster autoscaler hold it.
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
    """Keeps the marks of one pod: written at the start, for it may be a restart, and then on idle <-> busy only."""

    def __init__(
        self,
        client: KubeClient,
        hub: Hub,
        namespace: str,
        name: str,
        *,
        chance: Callable[[], float] = random.random,
        retry: Callable[[int, float], float] = retry_delay,
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
        """Keep them until cancelled."""
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
            # What the pod says now is not known: the answer may have been lost on its way back.
            self._written = None
            if self._in_a_row == 1:
                log.warning("the pod cannot be marked; will try again", busy=busy, why=str(error))
            return False
        if self._in_a_row:
            log.info("the pod is marked again", busy=busy)
        self._written, self._in_a_row = busy, 0
        return True


@asynccontextmanager
async def marking(
    settings: Settings, session: aiohttp.ClientSession, hub: Hub, metrics: Metrics
) -> AsyncIterator[None]:
    """Keep the marks of the pod that the settings name; raise UsageError when it is named and there is no cluster."""
    if not settings.pod_name:
        yield
        return
    cluster = await asyncio.to_thread(in_cluster)
    marks = PodMarks(KubeClient(session, cluster), hub, settings.pod_namespace, settings.pod_name)
    metrics.watch_marks(lambda: marks.failures)
    async with background(marks.run()):
        yield
