"""Where the peers' `config` comes from: fixed options, or the TURN API, asked again before its credentials expire.

Every peer gets credentials of its own while the TURN API is well. For those it waits half a second at most, and not
at all once the TURN API is known to be away: it is then sent the last good answer, and before that the fixed options.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import structlog
from yarl import URL

from pixelfleet.net.http_client import body_within
from pixelfleet.service.backoff import DEFAULT_BACKOFF
from signalserver.rtc_configuration import ReadyConfig, RtcConfigError, config_url, parse_answer, ready_config

MAX_ANSWER_BYTES: Final = 64 * 1024
LEAST_REFRESH_SECONDS: Final = 5.0
"""However short the credentials live, or seem to when clocks differ, the TURN API is asked no more often than this."""

log = structlog.get_logger(__name__)


def refresh_delay(life: float, chance: float) -> float:
    """Return the seconds until credentials with `life` seconds left are replaced; `chance` is 0 to 1.

    Between half and three quarters of their life: late enough to be cheap, with time left for several failures, and
    not all servers of a fleet at once.
    """
    return max(LEAST_REFRESH_SECONDS, life * (0.5 + 0.25 * chance))


class RtcConfigSource:
    """Has a ready `config` message at any time. `run` keeps it fresh."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        fixed: Mapping[str, Any],
        url: str | None = None,
        max_age: float = 300.0,
        ask_seconds: float = 5.0,
        per_session: bool = False,
        session_seconds: float = 0.5,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take the options that hold without an answer and, if there is one, the TURN API's address.

        `max_age` is the age in seconds to which credentials that tell no expiry are kept. An answer may take
        `ask_seconds`, or `session_seconds` where a peer waits for credentials of its own (`per_session`). Raises
        RtcConfigError for fixed options, and ValueError for an address, that cannot be used.
        """
        self._session = session
        self._url = config_url(url) if url else None
        self._max_age = max_age
        self._ask_seconds = ask_seconds
        self._per_session = per_session
        self._session_seconds = session_seconds
        self._clock = clock
        self._chance = chance
        self._config = ready_config(fixed)
        self._tried = asyncio.Event()
        self._due = asyncio.Event()
        self.last_success: float | None = None
        """Unix time of the last good answer; None before the first."""
        self.failures = 0
        """How often the TURN API gave no good answer."""
        self.failures_in_a_row = 0

    @property
    def expires(self) -> float | None:
        """The unix time at which the credentials in `message` expire, if they do and tell."""
        return self._config.expires

    def message(self) -> bytes:
        """Return the whole `config` message that every peer may be sent now."""
        return self._config.message

    def at_once(self) -> bytes | None:
        """Return the message for a peer that needs not wait for its own, or None where that is to be asked for.

        There is no wait where peers have no credentials of their own, or the TURN API is known to be away.
        """
        return self.message() if self._url is None or not self._per_session or self.failures_in_a_row else None

    async def for_session(self, name: str, *, role: str | None = None) -> bytes:
        """Return a `config` message with credentials of a session's own, or the shared one after `session_seconds`.

        The role is `streamer` for a peer that stays connected for days, and needs credentials that last as long.
        """
        at_once = self.at_once()
        if at_once is not None or self._url is None:
            return at_once or self.message()
        query = {"name": name} if role is None else {"name": name, "role": role}
        try:
            return (await self._ask(self._url.update_query(query), self._session_seconds)).message
        except RtcConfigError as error:
            log.warning("no rtc config for the session; the shared one is sent", session=name, why=str(error))
            self._due.set()  # finds out whether it is away, so that the next peers need not wait
            return self.message()

    async def first_answer(self, within: float) -> None:
        """Wait until the first attempt of `run` is over, well or not, for at most `within` seconds."""
        if self._url is None:
            return
        try:
            async with asyncio.timeout(within):
                await self._tried.wait()
        except TimeoutError:
            log.warning("no rtc config yet; until then peers are sent the fixed options", server=self._server())

    async def run(self) -> None:
        """Keep the configuration fresh until cancelled; without a TURN API there is nothing to do."""
        if self._url is None:
            return
        while True:
            await self.refresh()
            self._tried.set()
            self._due.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.next_delay()):
                    await self._due.wait()

    def next_delay(self) -> float:
        """Return the seconds until the TURN API is to be asked again."""
        if self.failures_in_a_row:
            return DEFAULT_BACKOFF.delay(self.failures_in_a_row, self._chance())
        life = self._config.expires - self._clock() if self._config.expires else self._max_age
        # Expired as they came, by our clock: it is wrong, and says nothing of their life.
        return refresh_delay(min(life, self._max_age) if life > 0 else self._max_age, self._chance())

    async def refresh(self) -> bool:
        """Ask the TURN API once; tell whether it gave a good answer. Without one the last good one stays."""
        assert self._url is not None
        try:
            config = await self._ask(self._url, self._ask_seconds)
        except RtcConfigError as error:
            self.failures += 1
            self.failures_in_a_row += 1
            sent = "the fixed options" if self.last_success is None else "the last good one"
            log.warning("rtc config not refreshed", server=self._server(), why=str(error), peers_are_sent=sent)
            return False
        now = self._clock()
        if config.expires is not None and config.expires <= now:
            log.warning("rtc config came with expired credentials; do the clocks agree?", server=self._server())
        if self.last_success is None or self.failures_in_a_row:
            log.info("rtc config received", server=self._server())
        self._config, self.last_success, self.failures_in_a_row = config, now, 0
        return True

    def _server(self) -> str:
        """Return what may be logged of the address: a user, a path or a query can be a secret."""
        return f"{self._url.host}:{self._url.port}" if self._url else ""

    async def _ask(self, url: URL, seconds: float) -> ReadyConfig:
        try:
            async with self._session.get(
                url,
                allow_redirects=False,
                auto_decompress=False,  # so that the bound on the size is one on the memory too
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                if response.status != HTTPStatus.OK:
                    raise RtcConfigError(f"HTTP {response.status}")
                body = await body_within(response, MAX_ANSWER_BYTES)
                if body is None:
                    raise RtcConfigError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
                return parse_answer(body)
        except TimeoutError:
            raise RtcConfigError(f"no answer in {seconds:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            # Their texts can hold the address with its secrets.
            raise RtcConfigError(f"not reached ({type(error).__name__})") from None
