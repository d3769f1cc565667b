"""The admission webhook with a receiver in the test. tests/integration has the HTTP side."""

from typing import Any, cast

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from matchmaker.join_request import JoinRequest
from matchmaker.webhooks.admission import AdmissionError, AdmissionWebhook
from matchmaker.webhooks.metrics import WebhookMetrics
from matchmaker.webhooks.post import Posted, Poster, PostError
from matchmaker.wishes import Wish
from pixelfleet.auth.identity import Identity
from pixelfleet.fleet.limits import SessionLimits

WISH = Wish(JoinRequest("app"), {"launch.map": "desert", "resume": "1"}, 3)


class Receiver:
    """Answers each question with a body, or fails."""

    def __init__(self, answer: bytes | Exception | None) -> None:
        self.answer = answer
        self.questions: list[Any] = []

    def now(self) -> float:
        return 1_800_000_000.0

    async def post(self, message_id: str, body: bytes) -> Posted:
        self.questions.append((message_id, msgspec.json.decode(body)))
        if isinstance(self.answer, Exception):
            raise self.answer
        return Posted(200, self.answer)


async def decide(receiver: Receiver, *, allow: bool = False, registry: CollectorRegistry | None = None) -> Wish:
    metrics = WebhookMetrics(registry or CollectorRegistry())
    webhook = AdmissionWebhook(
        cast("Poster", receiver), metrics, labels=["region"], seconds=30.0, allow_by_default=allow, concurrency=1
    )
    identity = Identity("ada", "jwt", frozenset({"player", "vip"}))
    return await webhook.decide(WISH, identity, session_id="5e55", address="192.0.2.1", person="ab")


async def test_the_question() -> None:
    receiver = Receiver(b'{"decision": "allow"}')
    assert await decide(receiver) == WISH
    ((message_id, message),) = receiver.questions
    assert (message_id, message["type"]) == ("adm_5e55", "session.admission")
    assert message["data"] == {
        "app": "app",
        "priority": 3,
        "launch": {"map": "desert"},
        "address": "192.0.2.1",
        "subject": "ada",
        "method": "jwt",
        "roles": ["player", "vip"],
        "person": "ab",
        "session": "5e55",
    }


async def test_a_decision_changes_the_wish() -> None:
    answer = {"decision": "allow", "app": "other", "priority": 0, "launch": {}, "idleSeconds": 30}
    decided = await decide(Receiver(msgspec.json.encode(answer)))
    assert decided == Wish(JoinRequest("other"), {"resume": "1"}, 0, SessionLimits(None, 30.0))


@pytest.mark.parametrize(("reason", "shown"), [("no booking", "no booking"), ("", "you are not admitted")])
async def test_a_denial(reason: str, shown: str) -> None:
    registry = CollectorRegistry()
    with pytest.raises(AdmissionError) as denial:
        await decide(Receiver(msgspec.json.encode({"decision": "deny", "reason": reason})), registry=registry)
    assert (str(denial.value), denial.value.status, denial.value.outcome) == (shown, 403, "denied")
    assert registry.get_sample_value("matchmaker_admission_answers_total", {"outcome": "deny"}) == 1


@pytest.mark.parametrize(
    "answer",
    [PostError("timeout", "late"), TimeoutError(), None, b"", b'{"decision": "allow", "labels": {"gpu": "a"}}'],
)
async def test_without_a_valid_answer_the_default_decides(answer: bytes | Exception | None) -> None:
    registry = CollectorRegistry()
    assert await decide(Receiver(answer), allow=True, registry=registry) == WISH
    assert registry.get_sample_value("matchmaker_admission_answers_total", {"outcome": "failed"}) == 1
    with pytest.raises(AdmissionError) as refusal:
        await decide(Receiver(answer))
    assert (refusal.value.status, refusal.value.outcome) == (503, "admission")
