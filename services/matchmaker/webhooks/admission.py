"""Asks the admission webhook about players before they are queued."""

import asyncio
from http import HTTPStatus
from typing import Final

import msgspec
import structlog

from matchmaker.webhooks.core.admission import (
    TYPE,
    AdmissionAnswer,
    AdmissionMessage,
    AdmissionQuestion,
    answer_of,
    changed_parameters,
    changed_request,
)
from matchmaker.webhooks.metrics import WebhookMetrics
from matchmaker.webhooks.post import Poster, PostError
from matchmaker.wishes import LAUNCH, Wish
from pixelfleet.auth.identity import Identity
from pixelfleet.fleet.events import timestamp

log = structlog.get_logger(__name__)

NOT_ADMITTED: Final = "you are not admitted"
UNAVAILABLE: Final = "admission is temporarily unavailable"


class AdmissionError(Exception):
    """A player is not admitted; the text is the reason for the player, and `status` that of the HTTP answer."""

    def __init__(self, why: str, status: HTTPStatus) -> None:
        super().__init__(why)
        self.status = status

    @property
    def outcome(self) -> str:
        """The label in metrics."""
        return "denied" if self.status == HTTPStatus.FORBIDDEN else "admission"


class AdmissionWebhook:
    """Asks one webhook, with a bounded number of simultaneous requests."""

    def __init__(
        self,
        poster: Poster,
        metrics: WebhookMetrics,
        *,
        labels: list[str],
        seconds: float,
        allow_by_default: bool,
        concurrency: int,
    ) -> None:
        """A player waits at most `seconds`. `labels` are the names that an answer may select by."""
        self._poster = poster
        self._metrics = metrics
        self._labels = labels
        self._seconds = seconds
        self._allow_by_default = allow_by_default
        self._slots = asyncio.Semaphore(concurrency)

    async def decide(self, wish: Wish, identity: Identity, *, session_id: str, address: str, person: str) -> Wish:
        """Return what a player gets. Raises AdmissionError."""
        request = wish.request
        question = AdmissionQuestion(
            app=request.app,
            wants=request.wants,
            labels=request.labels,
            spectator=request.spectator,
            priority=wish.priority,
            launch={
                name.removeprefix(LAUNCH): value for name, value in wish.forwarded.items() if name.startswith(LAUNCH)
            },
            address=address,
            subject=identity.subject,
            method=identity.method,
            roles=sorted(identity.roles),
            person=person,
            session=session_id,
        )
        try:
            answer = await self._ask(question)
            decided = Wish(
                changed_request(request, answer, self._labels),
                changed_parameters(wish.forwarded, answer, LAUNCH),
                wish.priority if answer.priority is None else answer.priority,
                answer.limits,
            )
        except (PostError, ValueError, TimeoutError) as error:
            self._metrics.admitted("failed")
            log.warning("admission webhook failed", session=session_id, why=str(error) or "it did not answer in time")
            if self._allow_by_default:
                return wish
            raise AdmissionError(UNAVAILABLE, HTTPStatus.SERVICE_UNAVAILABLE) from None
        self._metrics.admitted(answer.decision)
        if answer.decision == "deny":
            log.info("player denied", session=session_id, why=answer.reason)
            raise AdmissionError(answer.reason or NOT_ADMITTED, HTTPStatus.FORBIDDEN)
        return decided

    async def _ask(self, question: AdmissionQuestion) -> AdmissionAnswer:
        """Return the answer to a question. Raises PostError, TimeoutError or ValueError."""
        message_id = f"adm_{question.session}"
        message = AdmissionMessage(message_id, TYPE, timestamp(self._poster.now()), question)
        async with asyncio.timeout(self._seconds), self._slots:
            posted = await self._poster.post(message_id, msgspec.json.encode(message))
        if posted.body is None:
            raise ValueError("the answer is too large")
        return answer_of(posted.body)
