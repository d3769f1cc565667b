"""HTTP handlers of the TURN API."""

import secrets
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from pixelfleet.net.http import health_handlers, json_response
from pixelfleet.net.openapi import Error
from turnapi.credentials import NAME, CredentialIssuer
from turnapi.ice import AnswerOptions, configuration
from turnapi.metrics import Metrics
from turnapi.sources import Source

NO_STORE = {"Cache-Control": "no-store"}


class Rest:
    """Handles `GET /` and the health checks."""

    def __init__(
        self,
        source: Source,
        issuer: CredentialIssuer,
        options: AnswerOptions,
        metrics: Metrics,
        *,
        lifetime: float,
        streamer_lifetime: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._issuer = issuer
        self._options = options
        self._metrics = metrics
        self._lifetimes = {"": lifetime, "player": lifetime, "streamer": streamer_lifetime}
        self._clock = clock

    def unready(self) -> str | None:
        """Return why the API is not ready; None when it is."""
        return None if self._source.servers else self._source.missing()

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers by the names of their operations."""
        health = health_handlers(self)
        return {**health, "health": health["readyz"], "configuration": self._answer}

    async def _answer(self, request: web.Request) -> web.Response:
        """Return the RTCConfiguration with credentials for `?name=`."""
        name, role = request.query.get("name"), request.query.get("role", "")
        if name is not None and not NAME.fullmatch(name):
            return self._refusal(
                HTTPStatus.BAD_REQUEST, "name must be 1 to 64 letters, digits, dots, dashes or underscores"
            )
        if role not in self._lifetimes:
            return self._refusal(HTTPStatus.BAD_REQUEST, "role must be player or streamer")
        if (reason := self.unready()) is not None:
            return self._refusal(HTTPStatus.SERVICE_UNAVAILABLE, reason)
        # Without a name the credentials get a random one, because TURN servers apply quotas by name.
        name = name or f"shared-{secrets.token_hex(8)}"
        credentials = self._issuer.make(name, self._clock(), self._lifetimes[role])
        self._metrics.answers.labels("ok").inc()
        return json_response(configuration(self._source.servers, credentials, self._options, name), headers=NO_STORE)

    def _refusal(self, status: HTTPStatus, reason: str) -> web.Response:
        self._metrics.answers.labels("bad_request" if status is HTTPStatus.BAD_REQUEST else "unavailable").inc()
        return json_response(Error(error=reason), status=status, headers=NO_STORE)
