"""Looks up the REST address of a registered streamer, in the fleet store or at a matchmaker."""

from typing import Final, Protocol
from urllib.parse import quote

import aiohttp
import orjson
from pydantic import SecretStr

from pixelfleet.fleet.store import FleetStore, StoreUnavailableError
from pixelfleet.net.access import bearer_header
from pixelfleet.net.http_client import body_within
from router.upstreams.matchmakers import Matchmakers

MAX_ANSWER_BYTES: Final = 256 * 1024
ANSWER_SECONDS: Final = 5.0


class LookupFailedError(ConnectionError):
    """Neither the store nor a matchmaker could be asked for the streamer."""


class Streamers(Protocol):
    """Lookup of registered streamers."""

    async def rest_url(self, streamer: str) -> str | None:
        """Return a streamer's REST address, empty if it has none; None if there is no such streamer.

        Raises LookupFailedError.
        """


class StoreStreamers:
    """Looks streamers up in the fleet store."""

    def __init__(self, store: FleetStore) -> None:
        self._store = store

    async def rest_url(self, streamer: str) -> str | None:
        """Return a streamer's REST address."""
        try:
            found = await self._store.find(streamer)
        except StoreUnavailableError as error:
            raise LookupFailedError(str(error)) from None
        return None if found is None else found.report.rest_url


class ApiStreamers:
    """Looks streamers up over a matchmaker's REST API."""

    def __init__(self, matchmakers: Matchmakers, token: SecretStr | None) -> None:
        self._matchmakers = matchmakers
        self._token = token

    async def rest_url(self, streamer: str) -> str | None:
        """Return a streamer's REST address."""
        headers = bearer_header(self._token)
        why = "no matchmaker has been found"
        for target in self._matchmakers.candidates():
            options = self._matchmakers.request_options(target, headers)
            url = f"{target.http_url}/api/v1/streamers/{quote(streamer, safe='/')}"
            try:
                timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
                async with self._matchmakers.session.get(url, timeout=timeout, **options) as answer:
                    if answer.status == 404:
                        return None
                    if answer.status == 200 and (body := await body_within(answer, MAX_ANSWER_BYTES)) is not None:
                        return _rest_url(body)
                    why = f"the matchmaker answers {answer.status}"
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                why = type(error).__name__
                self._matchmakers.failed(target, why)
        raise LookupFailedError(why)


def _rest_url(body: bytes) -> str:
    try:
        view = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise LookupFailedError("the matchmaker's answer is not JSON") from None
    if not isinstance(view, dict):
        raise LookupFailedError("the matchmaker's answer is not a streamer")
    found = view.get("restUrl")
    return found if isinstance(found, str) else ""
