"""Clients whose connections end at once are answered later and later; other clients are not affected."""

import asyncio
from contextlib import ExitStack
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from structlog.testing import capture_logs

from pixelfleet.net import damping, server
from pixelfleet.net.bounds import Bounds
from pixelfleet.net.damping import (
    FORGET_SECONDS,
    FREE_ENDS,
    HELD_SHARE,
    QUICK_SECONDS,
    RELAYED_HEADER,
    Damper,
    damping_key,
)
from pixelfleet.net.handshake import Accepted, Decision
from pixelfleet.net.peer_settings import PeerSettings
from pixelfleet.net.refusal import refusal
from pixelfleet.net.request_head import RequestHead
from pixelfleet.net.websocket import WebSocket
from pixelfleet.protocol import close_codes
from tests.unit.pixelfleet.net.raw import Raw, connection, request, upgrade
from tests.unit.pixelfleet.net.servers import OpenPort, Recorder, open_port

LONGEST = Bounds().hold_seconds
AGES = Bounds(handshake_seconds=2400.0, hold_seconds=600.0)
"""An answer that is held back comes after the test."""


def dials_of_a_page(seconds: float, pause: float) -> int:
    """Return how often a page dials that is closed at once, and then waits for `pause` seconds."""
    damper, now, dials = Damper(LONGEST), 0.0, 0
    while now < seconds:
        answered = now + damper.delay("client", now)
        damper.closed("client", answered, answered + 0.001)
        now, dials = answered + pause, dials + 1
    return dials


def test_a_page_that_dials_without_a_pause_is_slowed_down() -> None:
    assert dials_of_a_page(40.0, 1 / 60) <= 30, "a page of 5.2 made 2,452 in this time"
    assert dials_of_a_page(3600.0, 1 / 60) <= 3600 / LONGEST + 2 * FREE_ENDS


def test_a_page_that_dials_every_two_seconds_without_end_is_slowed_down() -> None:
    assert dials_of_a_page(3600.0, 2.0) <= 3600 / (LONGEST + 2.0) + 2 * FREE_ENDS


@given(st.lists(st.floats(0.0, FORGET_SECONDS - 1), min_size=1, max_size=60))
def test_the_delay_grows_up_to_its_bound(gaps: list[float]) -> None:
    damper, now, before = Damper(LONGEST), 0.0, 0.0
    for number, gap in enumerate(gaps, 1):
        now += gap
        damper.ended("client", now)
        delay = damper.delay("client", now)
        assert before <= delay <= LONGEST
        assert (delay > 0) is (number > FREE_ENDS)
        before = delay


def test_a_client_is_forgotten_after_a_pause_and_another_one_is_not_affected() -> None:
    damper = Damper(LONGEST)
    for _ in range(2 * FREE_ENDS):
        damper.ended("client", 100.0)
    assert damper.delay("client", 100.0 + FORGET_SECONDS - 1) == LONGEST
    assert damper.delay("other", 100.0) == 0.0
    assert damper.delay("client", 100.0 + FORGET_SECONDS) == 0.0
    damper.ended("client", 100.0 + FORGET_SECONDS)
    assert damper.delay("client", 100.0 + FORGET_SECONDS) == 0.0


def test_a_connection_that_has_lived_for_a_while_does_not_count() -> None:
    damper = Damper(LONGEST)
    for _ in range(100):
        damper.closed("client", 10.0, 10.0 + QUICK_SECONDS)
    assert len(damper) == 0


def test_without_a_longest_time_nothing_is_held_back_or_remembered() -> None:
    damper = Damper(0.0)
    for _ in range(100):
        damper.ended("client", 1.0)
    assert (damper.delay("client", 1.0), len(damper)) == (0.0, 0)


def test_memory_and_held_answers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damping, "MAX_CLIENTS", 10)
    monkeypatch.setattr(damping, "MAX_HELD", 50)
    damper = Damper(LONGEST)
    for number in range(100):
        damper.ended(f"client {number}", 1.0)
    assert len(damper) == 10
    with ExitStack() as held:
        for client in ("a", "b"):
            while damper.has_room(client):
                held.enter_context(damper.holding(client))
        assert damper.held == 50
        assert not damper.has_room("c")
    assert damper.held == 0
    assert damper.has_room("a")


def test_a_client_that_is_held_back_is_logged_once() -> None:
    damper = Damper(LONGEST)
    with capture_logs() as logs:
        for _ in range(10 * FREE_ENDS):
            damper.ended("client", 1.0)
    assert [line["client"] for line in logs] == ["client"]


@pytest.mark.parametrize(
    ("remote", "forwarded", "key"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("2001:db8::7", [], "2001:db8::/64"),
        ("10.0.0.1", ["192.0.2.7"], "10.0.0.1 192.0.2.7"),
        ("10.0.0.1", ["192.0.2.7, 10.0.0.2", "10.0.0.3"], "10.0.0.1 192.0.2.7, 10.0.0.2,10.0.0.3"),
        ("10.0.0.1", ["x" * 1000 + "y"], f"10.0.0.1 {'x' * 127}y"),
    ],
)
def test_a_client_is_known_by_its_address_and_by_those_that_proxies_report(
    remote: str, forwarded: list[str], key: str
) -> None:
    headers = CIMultiDictProxy(CIMultiDict([("X-Forwarded-For", each) for each in forwarded]))
    assert damping_key(RequestHead("GET", "/", headers, remote)) == key


def test_a_request_that_a_router_relays_is_exempt() -> None:
    headers = CIMultiDictProxy(CIMultiDict({"X-Forwarded-For": "192.0.2.7", RELAYED_HEADER: "1"}))
    assert damping_key(RequestHead("GET", "/", headers, "10.0.0.1")) == ""


def test_the_longest_hold_is_shorter_than_the_time_limit_of_a_dial() -> None:
    settings = PeerSettings()
    assert settings.bounds().hold_seconds < settings.upstream_bounds().handshake_seconds


# -- on a port --------------------------------------------------------------------------------------


def admit(head: RequestHead) -> Decision:
    """Refuse, close at once, or accept, by the path."""
    if head.path == "/refused":
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "no room")
    if head.path == "/closed":
        return Accepted(WebSocket(AGES, lambda socket: socket.close(close_codes.FULL)))
    return Accepted(WebSocket(AGES, lambda _: Recorder()))


async def dial(raw: Raw, path: str, **headers: str) -> int:
    """Request a websocket; return the status of the answer."""
    await raw.send(upgrade(path, headers))
    return int((await raw.head()).split(b" ")[1])


async def ends_at_once(opened: OpenPort, path: str, times: int) -> None:
    for _ in range(times):
        async with connection(opened.port) as raw:
            assert await dial(raw, path) == (503 if path == "/refused" else 101)


def hold_back(opened: OpenPort, ends: int = 2 * FREE_ENDS) -> Damper:
    """Record so many quick ends of the client at 127.0.0.1; return the port's damper."""
    handshakes = opened.server._handshakes
    for _ in range(ends):
        handshakes._damper.ended("127.0.0.1", handshakes._loop.time())
    return handshakes._damper


async def is_answered(raw: Raw, opened: OpenPort) -> bool:
    """Return whether an answer has come, after round trips over another connection."""
    answer = asyncio.create_task(raw.head())
    async with connection(opened.port) as other:
        for _ in range(20):
            await other.send(request("/livez"))
            await other.response()
    if answer.done():
        return True
    answer.cancel()
    return False


@pytest.mark.parametrize("path", ["/refused", "/closed"])
async def test_the_answer_after_many_quick_ends_is_held_back(path: str) -> None:
    async with open_port(AGES, admit=admit) as opened:
        await ends_at_once(opened, path, FREE_ENDS + 1)
        damper = opened.server._handshakes._damper
        assert damper.delay("127.0.0.1", opened.server._handshakes._loop.time()) > 0
        hold_back(opened)
        async with connection(opened.port) as raw:
            await raw.send(upgrade("/ws"))
            assert not await is_answered(raw, opened)
            assert damper.held == 1
            async with connection(opened.port) as other:
                assert await dial(other, "/ws", **{"X-Forwarded-For": "192.0.2.7"}) == 101
        async with connection(opened.port) as raw:
            await raw.send(request("/livez"))
            assert (await raw.response())[0] == 200, "plain requests are not held back"


async def test_a_client_that_goes_away_is_not_held_any_more() -> None:
    async with open_port(AGES, admit=admit) as opened:
        damper = hold_back(opened)
        async with connection(opened.port) as raw:
            await raw.send(upgrade("/ws"))
            assert not await is_answered(raw, opened)
            assert damper.held == 1
        async with connection(opened.port) as other:
            while damper.held:
                await other.send(request("/livez"))
                await other.response()


async def test_too_many_held_answers_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damping, "MAX_HELD", 0)
    async with open_port(AGES, admit=admit) as opened:
        hold_back(opened, FREE_ENDS + 1)
        async with connection(opened.port) as raw:
            await raw.send(upgrade("/ws"))
            head = await raw.head()
        assert head.startswith(b"HTTP/1.1 429 ")
        assert b"Retry-After: 1\r\n" in head


async def test_held_answers_leave_file_descriptors_for_other_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "connection_limit", lambda _share: HELD_SHARE)
    async with open_port(AGES, admit=admit) as opened:
        damper = hold_back(opened)
        async with connection(opened.port) as first, connection(opened.port) as second:
            await first.send(upgrade("/ws"))
            assert not await is_answered(first, opened)
            assert damper.held == 1
            assert await dial(second, "/ws") == 429


async def test_a_held_request_is_decided_after_its_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damping, "FIRST_HOLD_SECONDS", 1e-6)
    async with open_port(AGES, admit=admit) as opened:
        await ends_at_once(opened, "/refused", FREE_ENDS + 3)
        await ends_at_once(opened, "/closed", 3)
        async with connection(opened.port) as raw:
            assert await dial(raw, "/ws") == 101


async def test_a_client_that_closes_its_own_connections_is_not_held_back() -> None:
    async with open_port(AGES, admit=admit) as opened:
        for _ in range(2 * FREE_ENDS):
            async with connection(opened.port) as raw:
                assert await dial(raw, "/ws") == 101
        assert len(opened.server._handshakes._damper) == 0
