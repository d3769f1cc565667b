import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from matchmaker.session_spans import NO_SPANS, SessionSpans, begin, router_span
from matchmaker.settings import Settings
from pixelfleet.fleet.model import Lease, LeaseState, StreamerReport, Ticket
from pixelfleet.net.dial import DialError
from pixelfleet.net.request_head import RequestHead
from pixelfleet.service.tracing import NO_SPAN, NO_TRACING
from tests.spans import RecordingTracing

ROUTER = f"00-{'d' * 32}-{'e' * 16}-01"
TICKET = Ticket(session_id="s1", replica_id="here", app="car")
STREAMER = StreamerReport(server_id="pod-1", endpoint_id="cam", app="car", url="ws://10.0.0.1:80")
LEASE = Lease(session_id="s1", replica_id="here", streamer=STREAMER, state=LeaseState.CLAIMED)


def began() -> tuple[RecordingTracing, SessionSpans]:
    tracing = RecordingTracing()
    return tracing, begin(tracing, TICKET, ROUTER)


def test_a_player_is_queued_matched_and_handed_over() -> None:
    tracing, spans = began()
    tracing.time = 5
    spans.matched(LEASE)
    handover = spans.dials("handover")
    tracing.time = 7
    spans.dialled()
    spans.end(1000)
    match = tracing.one("match")
    assert match.parent == ROUTER
    assert match.attributes == {
        "session.id": "s1",
        "pixelfleet.app": "car",
        "pixelfleet.spectator": False,
        "pixelfleet.streamer": "pod-1/cam",
        "pixelfleet.close.code": 1000,
        "pixelfleet.ending": "left",
    }
    assert tracing.times("queue") == (0, 5)
    assert tracing.times("handover") == (5, 7)
    assert handover.traceparent == tracing.one("handover").traceparent


def test_a_failed_dial_has_the_type_of_its_error_and_the_player_waits_again() -> None:
    tracing, spans = began()
    spans.matched(LEASE)
    spans.dials("dial")
    spans.dialled(DialError("the streamer is taken", 409))
    spans.waits()
    spans.waits()
    assert tracing.one("dial").error == "409"
    assert tracing.names().count("queue") == 2


def test_a_router_without_an_answer_is_followed_by_an_own_dial() -> None:
    tracing, spans = began()
    spans.matched(LEASE)
    spans.dials("handover")
    spans.dials("dial")
    spans.dialled()
    assert (tracing.one("handover").error, tracing.one("dial").error) == ("unreachable", "")


def test_a_player_that_leaves_the_queue_ends_all_spans() -> None:
    tracing, spans = began()
    spans.waits()
    spans.end(1001)
    assert tracing.names() == ["match", "queue"]
    assert all(span.ended_at is not None for span in tracing.spans)


def test_all_players_without_tracing_share_one_object() -> None:
    assert begin(NO_TRACING, TICKET, "") is NO_SPANS
    NO_SPANS.matched(LEASE)
    NO_SPANS.waits()
    assert NO_SPANS.dials("dial") is NO_SPAN
    NO_SPANS.dialled(DialError("refused"))
    NO_SPANS.end(1000)
    assert NO_SPANS.traceparent == ""


@pytest.mark.parametrize(
    ("enabled", "proxies", "hands_over", "trusted"),
    [(True, 0, False, False), (True, 1, False, True), (True, 0, True, True), (False, 1, True, False)],
)
def test_only_a_router_or_a_trusted_proxy_continues_a_trace(
    enabled: bool, proxies: int, hands_over: bool, trusted: bool
) -> None:
    head = RequestHead("GET", "/", CIMultiDictProxy(CIMultiDict(traceparent=ROUTER)), "127.0.0.1")
    tracing, settings = RecordingTracing(enabled), Settings(trusted_proxies=proxies)
    assert router_span(tracing, settings, head, hands_over) == (ROUTER if trusted else "")
