from pixelfleet.protocol import close_codes
from signalserver.player_spans import PlayerSpans
from tests.spans import RecordingTracing

SECOND = 1_000_000_000


class Player:
    """The spans of a player whose clock the test sets."""

    def __init__(self) -> None:
        self.tracing = RecordingTracing()
        self.spans = PlayerSpans(self.tracing.begin("signalling"))

    def forwarded(self, kind: str, at: int) -> None:
        self.tracing.time = at
        self.spans.forwarded(kind, at)

    def negotiated(self) -> None:
        self.forwarded("offer", 1)
        self.forwarded("answer", 3)


def test_a_step_lasts_from_the_one_before_to_its_message() -> None:
    player = Player()
    player.negotiated()
    player.tracing.time = 7
    player.spans.path("direct")
    assert [player.tracing.times(step) for step in ("offer", "answer", "ice")] == [(0, 1), (1, 3), (3, 7)]
    assert player.tracing.one("ice").attributes["pixelfleet.ice.path"] == "direct"
    assert all(span.parent is player.tracing.one("signalling") for span in player.tracing.spans[1:])


def test_later_offers_and_answers_begin_nothing() -> None:
    player = Player()
    player.negotiated()
    player.spans.path("direct")
    player.negotiated()
    assert player.tracing.names() == ["signalling", "offer", "answer", "ice"]


def test_an_answer_before_the_offer_ends_no_step() -> None:
    player = Player()
    player.forwarded("answer", 1)
    assert player.tracing.times("offer") == (0, None)


def test_a_further_path_is_an_event() -> None:
    player = Player()
    player.negotiated()
    player.spans.path("direct")
    player.spans.path("relay")
    assert player.tracing.one("signalling").events == [("ice path changed", {"pixelfleet.ice.path": "relay"})]


def test_the_ice_step_of_a_page_that_reports_no_path_ends_with_its_last_candidate() -> None:
    player = Player()
    player.forwarded("offer", 1)
    player.forwarded("iceCandidate", 2)
    player.forwarded("answer", 3)
    player.forwarded("iceCandidate", 5)
    player.tracing.time = 100
    player.spans.end(None)
    assert player.tracing.times("ice") == (3, 5)
    assert player.tracing.one("ice").attributes == {"pixelfleet.ice.candidates": 2}


def test_an_ice_step_without_later_candidates_does_not_end_before_it_begins() -> None:
    player = Player()
    player.forwarded("iceCandidate", 1)
    player.forwarded("offer", 2)
    player.forwarded("answer", 3)
    player.spans.end(None)
    assert player.tracing.times("ice") == (3, 3)


def test_a_first_frame_spreads_its_steps_before_the_report() -> None:
    player = Player()
    player.negotiated()
    now = 10 * SECOND
    player.tracing.time = now
    player.spans.first_frame({"page": 0.5, "match": 2.0, "picture": 1.5}, now)
    assert player.tracing.times("first_frame") == (6 * SECOND, now)
    assert player.tracing.times("first_frame.page") == (6 * SECOND, 6.5 * SECOND)
    assert player.tracing.times("first_frame.match") == (6.5 * SECOND, 8.5 * SECOND)
    assert player.tracing.times("first_frame.picture") == (8.5 * SECOND, now)
    assert player.tracing.times("ice") == (3, now), "a page that reports no path is connected"


def test_an_absence_ends_with_the_return_or_with_the_session() -> None:
    player = Player()
    player.spans.away()
    player.tracing.time = 5
    player.spans.resumed()
    player.spans.resumed()
    player.spans.away()
    player.tracing.time = 9
    player.spans.end(close_codes.SESSION_GONE.code)
    absences = [span for span in player.tracing.spans if span.name == "away"]
    assert [(span.begin, span.ended_at) for span in absences] == [(0, 5), (5, 9)]
    assert [span.attributes["pixelfleet.resumed"] for span in absences] == [True, False]


def test_a_session_that_ends_before_its_answer_has_failed_there() -> None:
    player = Player()
    player.forwarded("offer", 1)
    player.tracing.time = 4
    player.spans.end(close_codes.NO_CODEC.code)
    assert player.tracing.one("answer").error == "incomplete"
    assert player.tracing.one("signalling").attributes == {
        "pixelfleet.close.code": close_codes.NO_CODEC.code,
        "pixelfleet.ending": "left",
    }
