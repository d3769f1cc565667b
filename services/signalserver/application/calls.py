"""Calls to the application's REST API for `control` messages of players, limited to the allowed paths."""

from collections import Counter as Tally
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson
import structlog
from yarl import URL

from pixelfleet.net.http_client import body_within
from pixelfleet.protocol.messages import Message, dump
from signalserver.application.paths import MAX_PATH_LENGTH, AllowedPaths, PathError, plain_path, rest_endpoint, url_for

log = structlog.get_logger(__name__)


class CallError(Exception):
    """A call failed. The text is for the player, `outcome` for the metrics."""

    def __init__(self, outcome: str, text: str) -> None:
        super().__init__(text)
        self.outcome = outcome


class Application:
    """Calls one application for the players of one server.

    The HTTP session should keep no cookies, which all players would share, and no idle connections, because the
    application could close one during a call that must not be repeated.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        allowed: Iterable[str],
        *,
        seconds: float = 5.0,
        answer_bytes: int = 64 * 1024,
        calls_per_player: int = 4,
        calls: int = 32,
    ) -> None:
        """Take the REST API's URL and patterns of allowed paths; raise ValueError when one is invalid.

        A call fails after `seconds` or with a response larger than `answer_bytes`. More simultaneous calls than
        `calls_per_player` of one player or `calls` of all are refused.
        """
        self._session = session
        self._base = rest_endpoint(base_url)
        self._allowed = AllowedPaths(allowed)
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._answer_bytes = answer_bytes
        self._calls_per_player = calls_per_player
        self._calls = calls
        self._under_way: Tally[str] = Tally()
        self.outcomes: Tally[str] = Tally()
        """Calls by outcome: `ok`, `refused`, `busy`, `timeout`, `unreachable`, `status`, `too_big`, `bad_answer`."""

    async def call(
        self, action: str, payload: dict[str, Any] | None, *, player: str = "", spectator: bool = False
    ) -> Message:
        """Return the `response` message for a player's `control` message; all calls of spectators are refused."""
        answer: Message = {"type": "response", "action": action[:MAX_PATH_LENGTH]}
        try:
            path = self._path_of(action, spectator=spectator)
            self._begin(player)
            try:
                answer["response"] = await self._ask(url_for(self._base, path), payload)
            finally:
                self._end(player)
            dump(answer)  # Check now, while it can still become an error, that the response can be sent.
        except CallError as error:
            return self._failed(answer, error, player)
        except orjson.JSONEncodeError:
            # JSON that orjson can parse may still be nested too deep to be serialized.
            return self._failed(answer, CallError("bad_answer", "the application's answer cannot be read"), player)
        self.outcomes["ok"] += 1
        return answer

    def _path_of(self, action: str, *, spectator: bool) -> str:
        refused = CallError("refused", "not allowed")
        if spectator:
            raise refused
        try:
            path = plain_path(action)
        except PathError:
            raise refused from None
        if path not in self._allowed:
            raise refused
        return path

    def _begin(self, player: str) -> None:
        if self._under_way[player] >= self._calls_per_player or self._under_way.total() >= self._calls:
            raise CallError("busy", "too many calls at once")
        self._under_way[player] += 1

    def _end(self, player: str) -> None:
        self._under_way[player] -= 1
        if not self._under_way[player]:
            del self._under_way[player]

    def _failed(self, answer: Message, error: CallError, player: str) -> Message:
        self.outcomes[error.outcome] += 1
        log.debug("control failed", peer=player, outcome=error.outcome, why=str(error))
        return {"type": "response", "action": answer["action"], "error": str(error)}

    async def _ask(self, url: URL, payload: dict[str, Any] | None) -> object:
        headers = {"Accept": "application/json, text/plain;q=0.9, */*;q=0.1", "Accept-Encoding": "identity"}
        body = None
        if payload is not None:
            headers["Content-Type"] = "application/json"
            body = orjson.dumps(payload)
        try:
            async with self._session.request(
                "GET" if body is None else "POST",
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                auto_decompress=False,  # The size limit then also limits the memory.
                timeout=self._timeout,
            ) as response:
                if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
                    raise CallError("status", f"the application answered with HTTP {response.status}")
                answer = await body_within(response, self._answer_bytes)
                if answer is None:
                    raise CallError("too_big", "the application's answer is too large")
                return value_of(answer, response.content_type)
        except TimeoutError:
            raise CallError("timeout", "the application did not answer in time") from None
        except (aiohttp.ClientError, OSError):
            raise CallError("unreachable", "the application cannot be reached") from None


def value_of(body: bytes, content_type: str) -> object:
    """Return a response's JSON value, or its text; None when it is empty.

    A body that is not declared as text is parsed as JSON first. Raises CallError when the body is declared as JSON
    and is not, and when it is not text.
    """
    if not body:
        return None
    try:
        if not content_type.startswith("text/"):
            try:
                return orjson.loads(body)
            except orjson.JSONDecodeError:
                if content_type.endswith("json"):
                    raise
        return body.decode()
    except ValueError:
        raise CallError("bad_answer", "the application's answer cannot be read") from None
