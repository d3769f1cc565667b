"""The admission of players: identifies, counts and decides on requests for a websocket."""

from collections.abc import Coroutine, Sequence
from typing import Any

from pixelfleet.net.handshake import Decision
from pixelfleet.net.http import cors_headers, json_refusal
from pixelfleet.net.request_head import RequestHead
from pixelfleet.service.logs import REQUEST
from router.caller import Caller, Callers
from router.metrics import Metrics
from router.players import Players


class Admission:
    """Decides on requests for a websocket, with the functions that the middlewares apply to other requests."""

    def __init__(self, callers: Callers, players: Players, metrics: Metrics, origins: Sequence[str]) -> None:
        self._callers = callers
        self._players = players
        self._metrics = metrics
        self._origins = origins

    def admit(self, head: RequestHead) -> Decision | Coroutine[Any, Any, Decision]:
        """Accept or refuse a player."""
        caller = self._callers.caller(head)
        REQUEST.set(caller.request_id)
        returning = self._players.returning(caller)
        if returning is None and self._players.must_authenticate:
            return self._authenticated(caller)
        try:
            players = self._players
            accepted = players.take(caller) if returning is None else players.take_back(caller, returning)
            return self._counted(accepted, caller)
        except Exception as error:  # a bug must not end the server
            return self._refused(error, caller)

    async def _authenticated(self, caller: Caller) -> Decision:
        try:
            await self._players.check(caller)
            return self._counted(self._players.accept(caller), caller)
        except Exception as error:
            return self._refused(error, caller)

    def _refused(self, error: Exception, caller: Caller) -> Decision:
        request = caller.request
        headers = {**cors_headers(request.headers.get("Origin"), self._origins), **caller.answer_headers()}
        return self._counted(json_refusal(error, request, headers), caller)

    def _counted(self, decision: Decision, caller: Caller) -> Decision:
        self._metrics.answered(caller.request.path, decision.status)
        return decision
