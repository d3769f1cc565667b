"""A local copy of the objects that match a label selector, kept current with list and watch."""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import structlog

from pixelfleet.kube.client import Event, KubeClient, KubeError, KubeObject
from pixelfleet.service.backoff import DEFAULT_BACKOFF

T = TypeVar("T")

WATCH_SECONDS: Final = 240.0
"""The server ends a watch after this time; the next one continues from its last version."""

SHORT_WATCH_SECONDS: Final = 1.0
"""A watch that ends sooner counts as a failure, so that the retry is delayed."""

log = structlog.get_logger(__name__)


class Mirror(Generic[T]):
    """The copy. It stays unchanged while the API server is unreachable."""

    def __init__(
        self,
        client: KubeClient,
        path: str,
        selector: str,
        *,
        read: Callable[[KubeObject], T],
        changed: Callable[[], None],
        chance: Callable[[], float] = random.random,
        retry: Callable[[int, float], float] = DEFAULT_BACKOFF.delay,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Mirror the objects at a `path`, such as `api/v1/nodes`, that match a label selector.

        `read` converts an object; one for which it raises ValueError is skipped. `changed` is called after every
        change.
        """
        self._client = client
        self._path, self._selector = path, selector
        self._read, self._changed = read, changed
        self._chance, self._retry, self._clock = chance, retry, clock
        self._version = ""
        self.objects: dict[str, T] = {}
        """By namespace and name."""
        self.complete = False
        """Whether a list has succeeded."""
        self.trouble: str | None = None
        """Why the copy may be stale; None while it is current."""
        self.failures = 0
        self.last_success: float | None = None
        """Unix time of the last answer of the API server; None before the first."""

    async def run(self) -> None:
        """Keep the copy current until cancelled."""
        failures_in_row = 0
        while True:
            begun = asyncio.get_running_loop().time()
            listed = not self._version
            try:
                if listed:
                    self._replace(*await self._client.list(self._path, self._selector))
                async with self._client.watch(self._path, self._selector, self._version, WATCH_SECONDS) as events:
                    async for event in events:
                        failures_in_row, listed = 0, False
                        self._apply(event)
                if asyncio.get_running_loop().time() - begun < SHORT_WATCH_SECONDS:
                    raise KubeError("the watch ended immediately")
            except KubeError as error:
                # A server that was restarted or replaced may have forgotten the version. It accepts the watch all the
                # same, with status 200, and refuses the version in the first event. So only a new list is certain.
                self._version = ""
                if error.gone and not listed:
                    continue
                failures_in_row += 1
                self._failed(error)
                await asyncio.sleep(self._retry(failures_in_row, self._chance()))
            else:
                failures_in_row = 0
                self._succeeded()

    def _replace(self, objects: list[KubeObject], version: str) -> None:
        self.objects = {}
        for each in objects:
            self._store(each)
        self._version, self.complete = version, True
        self._succeeded()
        self._changed()

    def _apply(self, event: Event) -> None:
        self._succeeded()
        metadata = event.object.get("metadata")
        version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
        if isinstance(version, str) and version:
            self._version = version
        if event.kind in ("ADDED", "MODIFIED"):
            self._store(event.object)
        elif event.kind == "DELETED":
            self.objects.pop(_key(event.object), None)
        else:
            return  # a bookmark changes only the version
        self._changed()

    def _store(self, resource: KubeObject) -> None:
        key = _key(resource)
        try:
            self.objects[key] = self._read(resource)
        except ValueError as error:
            self.objects.pop(key, None)
            log.warning("object skipped", path=self._path, object=key, why=str(error))

    def _succeeded(self) -> None:
        if self.trouble is not None:
            log.info("kubernetes api available", path=self._path)
        self.trouble = None
        self.last_success = self._clock()

    def _failed(self, error: KubeError) -> None:
        self.failures += 1
        self.trouble = str(error)
        log.warning("kubernetes api unavailable; using the last objects", path=self._path, why=str(error))


def _key(resource: KubeObject) -> str:
    metadata = resource.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
