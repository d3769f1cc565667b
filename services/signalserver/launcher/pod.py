"""Deletes the signalling server's own pod: its Deployment creates a new one."""

import asyncio

import structlog

from pixelfleet.kube.client import KubeClient, KubeError
from signalserver.launcher.means import EndError

log = structlog.get_logger(__name__)


class PodDeletion:
    """The application ends with its pod, and this server with it."""

    def __init__(self, client: KubeClient, namespace: str, name: str) -> None:
        self._client = client
        self._path = f"api/v1/namespaces/{namespace}/pods/{name}"

    async def start(self) -> None:
        """Do nothing: Kubernetes starts the application."""

    async def connected(self) -> None:
        """Do nothing: the pod is known."""

    async def crashed(self) -> None:
        """Never return: Kubernetes reacts to a crash."""
        await asyncio.Event().wait()

    async def end(self) -> None:
        """Have Kubernetes delete the pod, and wait to be ended; raise EndError if it does not."""
        try:
            await self._client.delete(self._path)
        except KubeError as error:
            raise EndError(f"the pod cannot be deleted: {error}") from None
        log.info("pod deleted: the next session gets a new one")
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Do nothing: Kubernetes ends the application."""
