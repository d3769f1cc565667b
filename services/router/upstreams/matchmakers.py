"""Resolves the matchmakers' names and checks the readiness of each address, periodically."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from socket import SOCK_STREAM
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import structlog

from router.upstreams.pool import Pool, Target

log = structlog.get_logger(__name__)

CHECK_SECONDS: Final = 2.0
RESOLVE_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 2.0


@dataclass(slots=True)
class Matchmakers:
    """The matchmakers and their health."""

    pool: Pool
    session: aiohttp.ClientSession
    tls: ssl.SSLContext | None = None
    """Verifies matchmakers with a private CA."""
    found: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once all names have been resolved."""

    async def run(self) -> None:
        """Resolve names and check targets until cancelled."""
        loop = asyncio.get_running_loop()
        resolve_at = 0.0
        while True:
            if loop.time() >= resolve_at:
                await self._resolve()
                self.found.set()
                resolve_at = loop.time() + RESOLVE_SECONDS
            await asyncio.gather(*(self._check(target) for target in self.pool.targets()))
            await asyncio.sleep(CHECK_SECONDS)

    def candidates(self) -> list[Target]:
        """Return the targets in the order in which to try them."""
        return self.pool.candidates(asyncio.get_running_loop().time())

    def usable(self) -> int:
        """Return the number of targets that are not excluded."""
        return self.pool.usable(asyncio.get_running_loop().time())

    def all_silent(self) -> bool:
        """Whether no target answers: none has an address, or none answered the last check of its readiness."""
        return self.found.is_set() and all(target.silent for target in self.pool.targets())

    def failed(self, target: Target, why: str) -> None:
        """Exclude a target for a while."""
        if self.pool.failed(target, asyncio.get_running_loop().time(), why):
            log.warning("matchmaker excluded", url=target.url, address=target.address, why=why)

    def answered(self, target: Target) -> None:
        """End a target's exclusion."""
        if self.pool.answered(target):
            log.info("matchmaker recovered", url=target.url, address=target.address)

    def connection_options(self, target: Target) -> dict[str, Any]:
        """Return the client's options for a target: the address is dialled, the certificate is checked for the name."""
        if not target.is_secure:
            return {}
        return {"server_hostname": target.name} | ({"ssl": self.tls} if self.tls else {})

    def request_options(self, target: Target, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return the client's options for a request that the router itself makes."""
        named = {**headers, "Host": target.host}
        return {"headers": named, "allow_redirects": False, **self.connection_options(target)}

    async def _resolve(self) -> None:
        answers = await asyncio.gather(*map(self._addresses, self.pool.urls))
        self.pool.resolved({url: found for url, found in zip(self.pool.urls, answers, strict=True) if found})

    async def _addresses(self, url: str) -> list[str]:
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                infos = await asyncio.get_running_loop().getaddrinfo(parts.hostname, parts.port, type=SOCK_STREAM)
        except (OSError, UnicodeError, TimeoutError) as error:
            log.warning("matchmaker lookup failed", url=url, why=str(error) or type(error).__name__)
            return []
        return list(dict.fromkeys(str(info[4][0]) for info in infos))

    async def _check(self, target: Target) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        options = self.request_options(target, {})
        try:
            async with self.session.get(f"{target.http_url}/readyz", timeout=timeout, **options) as answer:
                ready, why = answer.status == 200, f"/readyz answers {answer.status}"
                target.silent = False
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            ready, why = False, type(error).__name__
            target.silent = True
        if ready:
            self.answered(target)
        else:
            self.failed(target, why)
