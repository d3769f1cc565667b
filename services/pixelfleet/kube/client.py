"""A client of the Kubernetes API (list, watch, patch, delete), and its configuration from inside a pod.

The existing libraries add 14 to 70 MB of models; four requests need none of them.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
from yarl import URL

from pixelfleet.net.http_client import body_within
from pixelfleet.service.errors import UsageError

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""The directory of a pod's token and of its cluster's certificate authority."""

PAGE_OBJECTS: Final = 100
"""The maximum number of objects in one page of a list; a node has some 20 KB."""

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
MAX_EVENT_BYTES: Final = 4 * 1024 * 1024
"""The maximum size of one event; etcd stores no object above 1.5 MB."""

REQUEST_SECONDS: Final = 10.0

KubeObject = dict[str, Any]


class KubeError(Exception):
    """The API server is unreachable (status 0) or answered with an error; the text gives the reason."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status

    @property
    def gone(self) -> bool:
        """Whether the requested resource version is too old, so that a new list is needed."""
        return self.status == HTTPStatus.GONE


@dataclass(frozen=True, slots=True)
class Cluster:
    """The address of an API server, its certificate authority, and the file of the bearer token."""

    url: URL
    ca_file: Path | None = None
    token_file: Path | None = None


def in_cluster(environ: Mapping[str, str] = os.environ, folder: Path = SERVICE_ACCOUNT) -> Cluster:
    """Return the cluster of this pod; raise UsageError outside a cluster or without a service account."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not port.isdecimal():
        raise UsageError("not in a pod of a Kubernetes cluster (KUBERNETES_SERVICE_HOST is not set)")
    token, authority = folder / "token", folder / "ca.crt"
    if not token.is_file() or not authority.is_file():
        raise UsageError(f"{folder} has no token: the pod's automountServiceAccountToken must be true")
    return Cluster(URL.build(scheme="https", host=host, port=int(port)), authority, token)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a watch."""

    kind: str
    """ADDED, MODIFIED, DELETED or BOOKMARK."""
    object: KubeObject


class KubeClient:
    """A client of one API server. Every method raises KubeError."""

    def __init__(self, session: aiohttp.ClientSession, cluster: Cluster, *, silence_seconds: float = 120.0) -> None:
        """Create a client; a watch that receives nothing for `silence_seconds` fails."""
        self._session = session
        self._cluster = cluster
        self._silence_seconds = silence_seconds
        self._tls: ssl.SSLContext | None = None

    async def list(self, path: str, selector: str) -> tuple[list[KubeObject], str]:
        """Return the objects that match a label selector, and the resource version from which to watch them."""
        objects: list[KubeObject] = []
        query = {"labelSelector": selector, "limit": str(PAGE_OBJECTS)}
        while True:
            answer = await self._request("GET", path, query)
            items, metadata = answer.get("items") or [], answer.get("metadata") or {}
            if not isinstance(items, list) or not isinstance(metadata, dict):
                raise KubeError("the answer is not a list")
            objects += (item for item in items if isinstance(item, dict))
            if not metadata.get("continue"):
                return objects, str(metadata.get("resourceVersion") or "")
            query["continue"] = str(metadata["continue"])

    async def patch(self, path: str, change: KubeObject) -> KubeObject:
        """Apply a JSON merge patch (RFC 7386) to an object and return the result."""
        return await self._request("PATCH", path, {}, change)

    async def delete(self, path: str) -> None:
        """Request the deletion of an object; one that does not exist counts as deleted."""
        try:
            await self._request("DELETE", path, {})
        except KubeError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    @asynccontextmanager
    async def watch(
        self, path: str, selector: str, version: str, seconds: float
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """Open a watch on the events after a resource version, for at most `seconds`."""
        query = {
            "labelSelector": selector,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": f"{seconds:.0f}",
        }
        timeout = aiohttp.ClientTimeout(sock_connect=REQUEST_SECONDS, sock_read=self._silence_seconds)
        try:
            async with self._session.get(
                self._url(path), params=query, timeout=timeout, **await self._options()
            ) as answer:
                if answer.status != HTTPStatus.OK:
                    raise KubeError(f"HTTP {answer.status}", answer.status)
                yield _events(answer.content)
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is one
            raise KubeError(f"unreachable ({type(error).__name__})") from None

    async def _request(
        self, method: str, path: str, query: Mapping[str, str], body: KubeObject | None = None
    ) -> KubeObject:
        options = await self._options()
        if body is not None:
            options["data"] = orjson.dumps(body)
            options["headers"]["Content-Type"] = "application/merge-patch+json"
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        try:
            async with self._session.request(
                method, self._url(path), params=query, timeout=timeout, **options
            ) as answer:
                if answer.status >= HTTPStatus.BAD_REQUEST:
                    raise KubeError(f"HTTP {answer.status}", answer.status)
                text = await body_within(answer, MAX_ANSWER_BYTES)
        except (aiohttp.ClientError, OSError) as error:
            raise KubeError(f"unreachable ({type(error).__name__})") from None
        if text is None:
            raise KubeError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
        return _parsed(text)

    def _url(self, path: str) -> URL:
        return self._cluster.url / path

    async def _options(self) -> dict[str, Any]:
        """Return the options of every request. The token is read each time, because Kubernetes rotates it hourly."""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        cluster = self._cluster
        try:
            if cluster.token_file is not None:
                token = await asyncio.to_thread(cluster.token_file.read_text, "ascii")
                headers["Authorization"] = f"Bearer {token.strip()}"
            if cluster.ca_file is not None and self._tls is None:
                self._tls = await asyncio.to_thread(ssl.create_default_context, cafile=str(cluster.ca_file))
        except (OSError, ValueError) as error:
            raise KubeError(f"the service account is unreadable ({type(error).__name__})") from None
        return {"headers": headers, "allow_redirects": False, "ssl": self._tls or True}


async def _events(stream: aiohttp.StreamReader) -> AsyncIterator[Event]:
    async for line in _lines(stream):
        yield _event(line)


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Split a stream into lines; `StreamReader.readline` refuses lines of the size of a node."""
    rest = bytearray()
    async for data in stream.iter_any():
        rest += data
        *lines, tail = rest.split(b"\n")
        for line in lines:
            if line.strip():
                yield bytes(line)
        rest = bytearray(tail)
        if len(rest) > MAX_EVENT_BYTES:
            raise KubeError(f"an event is larger than {MAX_EVENT_BYTES} bytes")


def _event(line: bytes) -> Event:
    message = _parsed(line)
    kind, resource = message.get("type"), message.get("object")
    if not isinstance(kind, str) or not isinstance(resource, dict):
        raise KubeError("a line of the watch is not an event")
    if kind == "ERROR":
        code = resource.get("code")
        raise KubeError(f"the watch ended with error {code}", code if isinstance(code, int) else 0)
    return Event(kind, resource)


def _parsed(text: bytes) -> KubeObject:
    try:
        answer = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise KubeError("the answer is not JSON") from None
    if not isinstance(answer, dict):
        raise KubeError("the answer is not an object")
    return answer
