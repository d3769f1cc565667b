"""Sends the signed requests of webhooks."""

import math
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, Literal, NamedTuple

import aiohttp

from matchmaker.webhooks.core.signature import signed_headers
from pixelfleet.net.http_client import body_within
from pixelfleet.service.version import VERSION

MAX_ANSWER_BYTES: Final = 64 * 1024

Outcome = Literal["delivered", "status", "timeout", "unreachable"]


class PostError(Exception):
    """A request was not answered with a status from 200 to 299. The text gives the reason without the URL."""

    def __init__(self, outcome: Outcome, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.outcome = outcome
        self.retry_after = retry_after
        """The seconds for which the receiver requests no further attempt."""


class Posted(NamedTuple):
    """The answer to a request."""

    status: int
    body: bytes | None
    """None when it is larger than MAX_ANSWER_BYTES."""


class Poster:
    """Sends requests to one URL, without following redirects."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        keys: Sequence[bytes],
        seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """A request fails after `seconds`. `clock` returns the unix time."""
        self._session = session
        self._url = url
        self._keys = keys
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self.now = clock

    async def post(self, message_id: str, body: bytes) -> Posted:
        """Send one signed JSON body; return the answer. Raises PostError."""
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"pixelfleet/{VERSION}",
            **signed_headers(self._keys, message_id, int(self.now()), body),
        }
        try:
            async with self._session.post(
                self._url,
                data=body,
                headers=headers,
                allow_redirects=False,
                auto_decompress=False,  # the size limit then also limits the memory
                timeout=self._timeout,
            ) as answer:
                if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                    wait = seconds_of(answer.headers.get("Retry-After", ""))
                    raise PostError("status", f"it answered with HTTP {answer.status}", wait)
                return Posted(answer.status, await body_within(answer, MAX_ANSWER_BYTES))
        except TimeoutError:
            raise PostError("timeout", "it did not answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PostError("unreachable", f"it cannot be reached ({type(error).__name__})") from None


def seconds_of(text: str) -> float:
    """Return the seconds of a `Retry-After`; 0 for a date or another form."""
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0.0


@asynccontextmanager
async def client_session(tls: ssl.SSLContext | None, requests: int) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield an HTTP session without cookies for at most this many simultaneous requests.

    `tls` verifies the receivers; None is the default of the system.
    """
    connector = aiohttp.TCPConnector(limit=math.ceil(requests), ssl=tls if tls is not None else True)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as session:
        yield session
