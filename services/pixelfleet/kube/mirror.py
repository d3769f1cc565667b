"""Keeps a copy of the objects that a label selector picks: lists them once, then watches what changes."""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import structlog

from pixelfleet.kube.client import Event, KubeClient, KubeError, KubeObject
from pixelfleet.service.backoff import retry_delay

T = TypeVar("T")

WATCH_SECONDS: Final = 240.0
"""After this time the server ends a watch, and the next begins where it ended."""

SHORT_WATCH_SECONDS: Final = 1.0
"""A watch that ends sooner without a word counts as a failure, so that it is not begun again at full speed."""

log = structlog.get_logger(__name__)


class Mirror(Generic[T]):
    """The copy. While the API server is away it stays as it was."""

    def __init__(
        self,
        client: KubeClient,
        path: str,
        selector: str,
        *,
        read: Callable[[KubeObject], T],
        changed: Callable[[], None],
        chance: Callable[[], float] = random.random,
        retry: Callable[[int, float], float] = retry_delay,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take what to watch: a `path` such as `api/v1/nodes` and a label selector.

        `read` keeps of an object what is needed and may raise ValueError for one that makes no sense, which is left
        out. `changed` is called after every change.
        """
        self._client = client
        self._path, self._selector = path, selector
        self._read, self._changed = read, changed
        self._chance, self._retry, self._clock = chance, retry, clock
        self._version = ""
        self.objects: dict[str, T] = {}
        """By namespace and name."""
        self.complete = False
        """Whether the objects were ever listed."""
        self.trouble: str | None = None
        """Why the copy may be old, None while it is not."""
        self.failures = 0
        self.last_success: float | None = None
        """Unix time of the last word from the API server, None before the first."""

    async def run(self) -> None:
        """Keep the copy until cancelled."""
        in_a_row = 0
        while True:
            begun = asyncio.get_running_loop().time()
            try:
                if not self._version:
                    self._replace(*await self._client.list(self._path, self._selector))
                async with self._client.watch(self._path, self._selector, self._version, WATCH_SECONDS) as events:
                    self._heard()
                    async for event in events:
                        in_a_row = 0
                        self._apply(event)
                if asyncio.get_running_loop().time() - begun < SHORT_WATCH_SECONDS:
                    raise KubeError("the watch ended at once")
            except KubeError as error:
                in_a_row += 1
                self._failed(error)
                await asyncio.sleep(self._retry(in_a_row, self._chance()))
            else:
                in_a_row = 0

    def _replace(self, objects: list[KubeObject], version: str) -> None:
        self.objects = {}
        for each in objects:
            self._keep(each)
        self._version, self.complete = version, True
        self._heard()
        self._changed()

    def _apply(self, event: Event) -> None:
        self._heard()
        metadata = event.object.get("metadata")
        version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
        if isinstance(version, str) and version:
            self._version = version
        if event.kind in ("ADDED", "MODIFIED"):
            self._keep(event.object)
        elif event.kind == "DELETED":
            self.objects.pop(_key(event.object), None)
        else:
            return  # a bookmark: only the version is news
        self._changed()

    def _keep(self, thing: KubeObject) -> None:
        key = _key(thing)
        try:
            self.objects[key] = self._read(thing)
        except ValueError as error:
            self.objects.pop(key, None)
            log.warning("object left out", path=self._path, object=key, why=str(error))

    def _heard(self) -> None:
        if self.trouble is not None:
            log.info("the Kubernetes API is back", path=self._path)
        self.trouble = None
        self.last_success = self._clock()

    def _failed(self, error: KubeError) -> None:
        if error.gone:
            # Not a failure of anybody's: what happened meanwhile is forgotten there, so the list is made anew.
            self._version = ""
            return
        self.failures += 1
        self.trouble = str(error)
        log.warning("the Kubernetes API is away; the last answer stays", path=self._path, why=str(error))


def _key(thing: KubeObject) -> str:
    metadata = thing.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
