import pytest

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.messages import DEFAULT_LIMITS
from signalserver.core.roster import Admission
from signalserver.core.state import Rules
from signalserver.traced_switchboard import TracedSwitchboard
from tests.spans import RecordingTracing
from tests.unit.signalserver.core.conversation import CANDIDATE, SDP, Conversation

DIALLER = f"00-{'d' * 32}-{'e' * 16}-01"
ADMISSION = Admission("s1", "cam", shown_as="default", trace=DIALLER)


class Traced(Conversation):
    """A conversation whose players are traced."""

    def __init__(self) -> None:
        super().__init__()
        self.tracing = RecordingTracing()
        self.switchboard = TracedSwitchboard(Rules(), DEFAULT_LIMITS, self.tracing)
        self.streamer("cam", "cam")


@pytest.fixture
def talk() -> Traced:
    return Traced()


def negotiate(talk: Traced, page: str) -> None:
    talk.send(page, "subscribe", streamerId="default")
    [player] = [each for each in talk.switchboard.players() if each.peer.key == page]
    talk.send("cam", "offer", sdp=SDP, playerId=player.player_id)
    talk.send(page, "answer", sdp=SDP)
    talk.send(page, "iceCandidate", candidate=CANDIDATE)
    talk.send("cam", "iceCandidate", candidate=CANDIDATE, playerId=player.player_id)


def test_messages_of_both_sides_are_steps_of_the_player(talk: Traced) -> None:
    talk.player("page", admission=ADMISSION)
    negotiate(talk, "page")
    talk.leave("page")
    signalling = talk.tracing.one("signalling")
    assert signalling.parent == DIALLER
    assert signalling.attributes["session.id"] == "s1"
    assert talk.tracing.names() == ["signalling", "offer", "answer", "ice"]
    assert talk.tracing.one("ice").attributes["pixelfleet.ice.candidates"] == 2
    assert all(span.ended_at is not None and not span.error for span in talk.tracing.spans)


def test_an_offer_of_the_page_is_a_step_too(talk: Traced) -> None:
    talk.player("page", admission=ADMISSION, offers=True)
    talk.send("page", "offer", sdp=SDP)
    assert talk.tracing.one("offer").ended_at is not None


def test_a_later_negotiation_is_in_the_earlier_one(talk: Traced) -> None:
    former = talk.page("first", ADMISSION)
    talk.leave("first")
    talk.page("second", ADMISSION, former)
    first, second = [span for span in talk.tracing.spans if span.name == "signalling"]
    assert (first.parent, second.parent) == (DIALLER, first.traceparent)


def test_a_player_without_a_token_begins_a_trace(talk: Traced) -> None:
    talk.player("page")
    signalling = talk.tracing.one("signalling")
    assert signalling.parent == ""
    assert str(signalling.attributes["session.id"]).startswith("direct-")


def test_absences_are_recorded(talk: Traced) -> None:
    talk.player("page", admission=ADMISSION)
    talk.away("page", 30.0)
    talk.resumed("page")
    talk.away("page", 30.0)
    talk.pass_time(31.0)
    absences = [span.attributes["pixelfleet.resumed"] for span in talk.tracing.spans if span.name == "away"]
    assert absences == [True, False]
    assert talk.tracing.one("signalling").attributes["pixelfleet.close.code"] == close_codes.SESSION_GONE.code


def test_streamers_and_their_messages_have_no_spans(talk: Traced) -> None:
    talk.send("cam", "ping", time=1)
    talk.leave("cam")
    assert talk.tracing.spans == []
