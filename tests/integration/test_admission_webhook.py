"""The admission webhook: what it decides about players and reservations, and what happens without its answer."""

import asyncio
import time
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from pixelfleet.fleet.limits import SessionLimits
from pixelfleet.fleet.model import Ticket
from pixelfleet.service.signing import verify
from tests.integration.matchmakers import KEY, RunningMatchmaker, running_matchmaker
from tests.integration.webhook_receivers import SECRET, Receiver, running_receiver
from tests.parts import eventually


def settings(receiver: Receiver, **words: Any) -> dict[str, Any]:
    return {
        "admission_webhook": receiver.url,
        "webhook_secret": SecretStr(SECRET),
        "apps": ["default", "other"],
        **words,
    }


async def queued(running: RunningMatchmaker) -> Ticket:
    """Return the only ticket in the queue."""

    async def found() -> list[Ticket]:
        return [waiting.ticket for waiting in (await running.store.snapshot()).queue]

    (ticket,) = await eventually(found, "a player waits")
    return ticket


async def refused(url: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(url):
            pass
    body = refusal.value.response.body
    return refusal.value.response.status_code, body.decode() if body else ""


async def test_the_question_and_an_answer_that_allows() -> None:
    async with (
        running_receiver(Receiver(answer=lambda _: {"decision": "allow"})) as receiver,
        running_matchmaker(**settings(receiver)) as running,
        connect(f"{running.player_url}/?app=other&region=eu&launch.map=desert"),
    ):
        ticket = await queued(running)
        assert (ticket.app, ticket.labels, ticket.limits) == ("other", {"region": "eu"}, None)
        (body,) = receiver.accepted
    assert (body["type"], body["id"]) == ("session.admission", f"adm_{ticket.session_id}")
    assert body["data"] == {
        "app": "other",
        "labels": {"region": "eu"},
        "launch": {"map": "desert"},
        "address": "127.0.0.1",
        "method": "none",
        "session": ticket.session_id,
    }


async def test_an_answer_changes_what_the_player_gets() -> None:
    answer = {
        "decision": "allow",
        "app": "other",
        "labels": {"version": "2"},
        "priority": 5,
        "launch": {"map": "sea"},
        "sessionSeconds": 60,
    }
    async with (
        running_receiver(Receiver(answer=lambda _: answer)) as receiver,
        running_matchmaker(**settings(receiver)) as running,
        connect(f"{running.player_url}/?region=eu&launch.map=desert"),
    ):
        ticket = await queued(running)
        assert (ticket.app, ticket.labels, ticket.priority) == ("other", {"version": "2"}, 5)
        assert ticket.limits == SessionLimits(60.0)
        player = running.server.players.find(ticket.session_id)
        assert player is not None
        assert player.passed_on == {"launch.map": "sea"}


async def test_a_denied_player_gets_the_reason() -> None:
    answer = {"decision": "deny", "reason": "the booking has ended"}
    async with (
        running_receiver(Receiver(answer=lambda _: answer)) as receiver,
        running_matchmaker(**settings(receiver)) as running,
    ):
        assert await refused(running.player_url) == (403, "the booking has ended")
        async with running.http.get(f"{running.rest_url}/signallingserver") as reply:
            assert (reply.status, (await reply.json())["error"]) == (403, "the booking has ended")
        assert not await running.sessions()


async def test_a_page_shows_the_reason_as_text() -> None:
    answer = {"decision": "deny", "reason": 'no <meta http-equiv="refresh" content="0;url=//evil.test">'}
    async with (
        running_receiver(Receiver(answer=lambda _: answer)) as receiver,
        running_matchmaker(**settings(receiver, redirect=True)) as running,
        running.http.get(running.rest_url, allow_redirects=False) as reply,
    ):
        shown = await reply.text()
    assert "&lt;meta" in shown
    assert "evil.test&quot;" in shown


@pytest.mark.parametrize("failure", ["500", "hang", "close", "redirect", "large", "ok"])
@pytest.mark.parametrize("default", ["deny", "allow"])
async def test_without_a_valid_answer_the_default_decides(failure: Any, default: str) -> None:
    """An `ok` is an answer without a decision."""
    async with (
        running_receiver(Receiver(lambda _: failure)) as receiver,
        running_matchmaker(**settings(receiver, admission_seconds=0.3, admission_default=default)) as running,
    ):
        if default == "deny":
            assert await refused(running.player_url) == (503, "admission is temporarily unavailable")
        else:
            async with connect(running.player_url):
                assert (await queued(running)).app == "default"
        assert receiver.redirected == 0


async def test_a_webhook_that_hangs_is_asked_a_bounded_number_of_times_at_once() -> None:
    async with (
        running_receiver(Receiver(lambda _: "hang")) as receiver,
        running_matchmaker(**settings(receiver, admission_seconds=0.5)) as running,
    ):
        running.server.players.admission_webhook._slots._value = 3  # type: ignore[union-attr]

        results = await asyncio.gather(*(refused(running.player_url) for _ in range(9)))
    assert {status for status, _ in results} == {503}
    assert receiver.most_at_once <= 3


async def test_a_reservation_gets_what_the_webhook_decides() -> None:
    answer = {"decision": "allow", "app": "other", "idleSeconds": 0, "launch": {"map": "sea"}}
    async with (
        running_receiver(Receiver(answer=lambda _: answer)) as receiver,
        running_matchmaker(**settings(receiver)) as running,
    ):
        await running.report(1, app="other")
        async with running.http.get(f"{running.rest_url}/signallingserver") as reply:
            reserved = await reply.json()
    assert reserved["app"] == "other"
    query = dict(pair.split("=", 1) for pair in reserved["url"].partition("?")[2].split("&"))
    assert query["launch.map"] == "sea"
    claims = verify(query["session"], KEY, audience="s00001")
    assert claims["limits"] == {"idle_seconds": 0.0}
    assert claims["exp"] > time.time()
