"""The source of the peers' `config`: fixed options, or the TURN API, requested again before its credentials expire.

Each peer gets its own credentials while the TURN API responds, and waits at most `session_seconds` for them. After a
failure peers do not wait: they get the last good configuration, or the fixed options when there is none.
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
from signalserver.rtc_config_message import ReadyConfig, RtcConfigError, config_url, parse_answer, ready_config

MAX_ANSWER_BYTES: Final = 64 * 1024
MIN_REFRESH_SECONDS: Final = 5.0
"""The minimum time between two requests, for credentials with a shorter lifetime or an expiry time in the past."""

log = structlog.get_logger(__name__)


def refresh_delay(life: float, chance: float) -> float:
    """Return the seconds until credentials that expire in `life` seconds are replaced; `chance` is 0 to 1.

    The delay is between half and three quarters of `life`: it leaves time for several failures, and spreads the
    requests of a fleet.
    """
    return max(MIN_REFRESH_SECONDS, life * (0.5 + 0.25 * chance))


class RtcConfigSource:
    """Provides the `config` message at any time; `run` keeps it current."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        fixed: Mapping[str, Any],
        url: str | None = None,
        max_age: float = 300.0,
        request_seconds: float = 5.0,
        per_session: bool = False,
        session_seconds: float = 0.5,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take the fixed RTCConfiguration and the TURN API's URL, if any.

        `max_age` is the age in seconds at which credentials without an expiry time are replaced. A request times out
        after `request_seconds`, or after `session_seconds` for one peer's credentials (`per_session`). Raises
        RtcConfigError for invalid fixed options and ValueError for an invalid URL.
        """
        self._session = session
        self._url = config_url(url) if url else None
        self._max_age = max_age
        self._request_seconds = request_seconds
        self._per_session = per_session
        self._session_seconds = session_seconds
        self._clock = clock
        self._chance = chance
        self._config = ready_config(fixed)
        self._first_attempt_done = asyncio.Event()
        self._refresh_requested = asyncio.Event()
        self.last_success: float | None = None
        """Unix time of the last good response; None before the first."""
        self.failures = 0
        """The number of failed requests for the shared configuration."""
        self.failures_in_a_row = 0

    @property
    def expires(self) -> float | None:
        """The Unix time at which the credentials in `message` expire, or None if it is unknown."""
        return self._config.expires

    def message(self) -> bytes:
        """Return the complete shared `config` message."""
        return self._config.message

    def immediate_message(self) -> bytes | None:
        """Return the shared message if peers get it without a request, else None: `for_session` requests one.

        Peers get it when they have no credentials of their own, and after a failed request.
        """
        return self.message() if self._url is None or not self._per_session or self.failures_in_a_row else None

    async def for_session(self, name: str, *, role: str | None = None) -> bytes:
        """Return a `config` message with credentials for one session, or the shared one after `session_seconds`.

        The role `streamer` requests long-lived credentials, for a peer that stays connected for days.
        """
        message = self.immediate_message()
        if message is not None or self._url is None:
            return message or self.message()
        query = {"name": name} if role is None else {"name": name, "role": role}
        try:
            return (await self._request(self._url.update_query(query), self._session_seconds)).message
        except RtcConfigError as error:
            log.warning("session rtc config failed", session=name, why=str(error))
            self._refresh_requested.set()  # A refresh checks the TURN API, so that later peers do not wait if it fails.
            return self.message()

    async def first_answer(self, within: float) -> None:
        """Wait until the first request of `run` has succeeded or failed, for at most `within` seconds."""
        if self._url is None:
            return
        try:
            async with asyncio.timeout(within):
                await self._first_attempt_done.wait()
        except TimeoutError:
            log.warning("no rtc config yet; peers are sent the fixed options", server=self._server())

    async def run(self) -> None:
        """Keep the configuration current until cancelled; return at once without a TURN API."""
        if self._url is None:
            return
        while True:
            await self.refresh()
            self._first_attempt_done.set()
            self._refresh_requested.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.next_delay()):
                    await self._refresh_requested.wait()

    def next_delay(self) -> float:
        """Return the seconds until the next request to the TURN API."""
        if self.failures_in_a_row:
            return DEFAULT_BACKOFF.delay(self.failures_in_a_row, self._chance())
        life = self._config.expires - self._clock() if self._config.expires else self._max_age
        # Credentials that arrive expired mean that the clocks differ, so their expiry time is of no use.
        return refresh_delay(min(life, self._max_age) if life > 0 else self._max_age, self._chance())

    async def refresh(self) -> bool:
        """Request the configuration once; return whether that succeeded. After a failure the last good one stays."""
        assert self._url is not None
        try:
            config = await self._request(self._url, self._request_seconds)
        except RtcConfigError as error:
            self.failures += 1
            self.failures_in_a_row += 1
            sent = "the fixed options" if self.last_success is None else "the last good one"
            log.warning("rtc config not refreshed", server=self._server(), why=str(error), peers_are_sent=sent)
            return False
        now = self._clock()
        if config.expires is not None and config.expires <= now:
            log.warning("rtc config has expired credentials; check the clocks", server=self._server())
        if self.last_success is None or self.failures_in_a_row:
            log.info("rtc config received", server=self._server())
        if config.faults and config.faults != self._config.faults:
            log.warning("rtc config mended", server=self._server(), left_out="; ".join(config.faults))
        self._config, self.last_success, self.failures_in_a_row = config, now, 0
        return True

    def _server(self) -> str:
        """Return the host and port for the log; the rest of the URL can hold a secret."""
        return f"{self._url.host}:{self._url.port}" if self._url else ""

    async def _request(self, url: URL, seconds: float) -> ReadyConfig:
        try:
            async with self._session.get(
                url,
                allow_redirects=False,
                auto_decompress=False,  # The size limit then also limits the memory.
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                if response.status != HTTPStatus.OK:
                    raise RtcConfigError(f"HTTP {response.status}")
                body = await body_within(response, MAX_ANSWER_BYTES)
                if body is None:
                    raise RtcConfigError(f"the response is larger than {MAX_ANSWER_BYTES} bytes")
                return parse_answer(body)
        except TimeoutError:
            raise RtcConfigError(f"no response in {seconds:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            # The errors' texts can contain the URL and its secrets.
            raise RtcConfigError(f"unreachable ({type(error).__name__})") from None
