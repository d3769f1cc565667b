"""Who may open a websocket; what refusals look like on the wire is tested with real sockets."""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from pixelfleet.fleet.tokens import SessionToken, sign
from pixelfleet.net.refusal import Refusal
from pixelfleet.net.request_head import RequestHead
from pixelfleet.service.lifecycle import Tasks
from signalserver.admission import PeerAdmission
from signalserver.config_wait import ConfigWaits
from signalserver.drain import Drain
from signalserver.returns import Returns
from signalserver.rtc_config import RtcConfigSource
from signalserver.settings import Settings
from tests.unit.signalserver.core.conversation import CONFIG
from tests.unit.signalserver.hubs import make_hub

KEY = "k" * 32


def request(path: str = "/", **headers: str) -> RequestHead:
    return RequestHead("GET", path, CIMultiDictProxy(CIMultiDict(headers)))


def admission(**chosen: Any) -> tuple[PeerAdmission, Drain]:
    made = make_hub()
    drain = Drain(made.hub, made.metrics, spread_seconds=0, grace_seconds=60)
    config = cast("RtcConfigSource", SimpleNamespace(at_once=lambda: CONFIG))
    settings = Settings(**chosen)
    waits = ConfigWaits(config, made.metrics, Tasks())
    returns = Returns(made.hub, drain, made.metrics, settings, "pod-1", waits)
    return PeerAdmission(made.hub, drain, made.metrics, settings, "pod-1", waits, returns), drain


def ticket(server_id: str = "pod-1", key: str = KEY) -> str:
    return sign(SessionToken("session-1", server_id, "cam", "game"), key)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [(None, 101), ("https://play.example", 101), ("https://play.example.evil", 403), ("null", 403)],
)
async def test_a_players_page_has_an_allowed_origin(origin: str | None, expected: int) -> None:
    admitting, _ = admission(origins=["https://play.example"])
    assert admitting.player(request(**({"Origin": origin} if origin else {}))).status == expected


async def test_players_are_taken_until_a_drain_is_over() -> None:
    admitting, drain = admission()
    drain.begin()
    assert admitting.player(request()).status == 101
    await drain.run()
    assert admitting.player(request()).status == 503
    assert admitting.streamer(request()).status == 101


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("session={right}", 101),
        ("session={elsewhere}", 403),
        ("session={forged}", 403),
        ("session=", 403),
        ("session=%ff", 403),
        ("", 403),
    ],
)
async def test_where_a_session_is_required_its_ticket_is(query: str, expected: int) -> None:
    admitting, _ = admission(session_key=KEY, require_session=True)
    # Made now: a ticket holds for a minute.
    query = query.format(right=ticket(), elsewhere=ticket("pod-2"), forged=ticket(key="x" * 32))
    assert admitting.player(request(f"/?{query}")).status == expected


async def test_a_bad_ticket_is_refused_also_where_none_is_required() -> None:
    admitting, _ = admission(session_key=KEY)
    assert admitting.player(request()).status == 101
    assert admitting.player(request(f"/?session={ticket('pod-2')}")).status == 403


@pytest.mark.parametrize(("ahead", "expected"), [(12, 101), (3600, 101), (-110, 101), (-130, 403)])
async def test_the_clock_of_the_matchmaker_may_differ(
    monkeypatch: pytest.MonkeyPatch, ahead: int, expected: int
) -> None:
    admitting, _ = admission(session_key=KEY, require_session=True)
    now = time.time()
    with monkeypatch.context() as matchmaker:
        matchmaker.setattr(time, "time", lambda: now + ahead)
        token = ticket()
    decision = admitting.player(request(f"/?session={token}"))
    assert decision.status == expected
    if isinstance(decision, Refusal):
        assert b"the clocks differ" in decision.body


async def test_a_session_that_an_operator_ended_is_refused_with_the_same_token() -> None:
    admitting, _ = admission(session_key=KEY)
    path = f"/?session={ticket()}"
    assert admitting.player(request(path)).status == 101
    admitting._hub.end_session("session-1")
    decision = admitting.player(request(path))
    assert isinstance(decision, Refusal)
    assert (decision.status, decision.body) == (403, b"an operator has ended this session")


@pytest.mark.parametrize("port", ["streamer", "sfu"])
@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/", {"Authorization": "Bearer s3cret"}, 101),
        ("/?token=s3cret", {}, 101),
        ("/?token=s3cret", {"Authorization": "Bearer wrong"}, 401),
        ("/?token=wrong", {}, 401),
        ("/", {"Authorization": "Basic s3cret"}, 401),
        ("/", {}, 401),
    ],
)
async def test_streamers_and_sfus_show_the_token(port: str, path: str, headers: dict[str, str], expected: int) -> None:
    admitting, _ = admission(streamer_token="s3cret")
    assert getattr(admitting, port)(request(path, **headers)).status == expected


@pytest.mark.parametrize(
    ("takeover", "same_host", "same_token"), [("host", True, False), ("token", False, True), ("never", False, False)]
)
async def test_a_streamer_is_known_again_by_what_the_setting_says(
    takeover: str, *, same_host: bool, same_token: bool
) -> None:
    admitting, _ = admission(streamer_takeover=takeover, streamer_token="s3cret")

    def same(other: tuple[str, str]) -> bool:
        first, second = admitting._identity("10.0.0.7", "s3cret"), admitting._identity(*other)
        return bool(first) and first == second

    assert same(("10.0.0.7", "another")) is same_host
    assert same(("10.0.0.8", "s3cret")) is same_token
    assert not same(("10.0.0.8", "another"))
    assert "s3cret" not in admitting._identity("10.0.0.7", "s3cret")
