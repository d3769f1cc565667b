import pytest

from pixelfleet.fleet import resume, waiting
from pixelfleet.fleet.model import Ticket
from pixelfleet.fleet.resume import ResumeToken, resume_key
from pixelfleet.fleet.resumption import refusal_of
from pixelfleet.fleet.returning import Refused, Resuming, ReturnReader, Waiting, resumes
from pixelfleet.fleet.waiting import WaitingToken, waiting_key
from pixelfleet.net.dial import DialError
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode

SESSION_KEY = "k" * 32
READER = ReturnReader(resume_key(SESSION_KEY), waiting_key(SESSION_KEY))
TOKEN = ResumeToken("a" * 32, "pod-1", "ws://10.0.0.1:4000", "default", "b")
TEXT = resume.sign(TOKEN, resume_key(SESSION_KEY))


@pytest.mark.parametrize("target", ["/", "/ws?app=game", "/ws?resume=1", "/ws?resume=", "/ws?noresume=1&x=resume"])
def test_a_new_player_does_not_return(target: str) -> None:
    assert READER.read(target) is None


def test_a_page_that_returns_is_dialled_with_what_its_server_needs_and_without_its_credentials() -> None:
    long = "x" * 100
    returning = READER.read(f"/ws?link=secret&resume={TEXT}&received=7&fresh=1&OfferToReceive={long}&app=game")
    assert isinstance(returning, Resuming)
    assert returning.token == TOKEN
    assert returning.url == f"ws://10.0.0.1:4000/?resume={TEXT}&received=7&fresh=1&OfferToReceive={long[:64]}"


def test_a_page_returns_to_its_place_in_the_queue() -> None:
    token = WaitingToken(Ticket(session_id="a", replica_id="", app="game"))
    returning = READER.read(f"/ws?resume={waiting.sign(token, waiting_key(SESSION_KEY))}")
    assert returning == Waiting(token)


@pytest.mark.parametrize(
    "text",
    [
        "forged",
        resume.sign(TOKEN, resume_key("x" * 32)),
        resume.sign(TOKEN, waiting_key(SESSION_KEY)),
        waiting.sign(WaitingToken(Ticket(session_id="a", replica_id="", app="game")), resume_key(SESSION_KEY)),
    ],
)
def test_a_token_that_is_not_valid_is_refused(text: str) -> None:
    assert isinstance(READER.read(f"/?resume={text}"), Refused)


def test_a_service_without_the_session_key_refuses_resume_tokens() -> None:
    own = ReturnReader(b"", b"own key of this process, 32 bytes")
    assert isinstance(own.read(f"/?resume={TEXT}"), Refused)


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", False), ("resume=1", True), ("app=a&resume=token", True), ("noresume=1", False), ("x=resume%3D1", False)],
)
def test_the_query_of_a_page_that_can_resume(query: str, expected: bool) -> None:
    assert resumes(query) is expected


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (0, close_codes.STREAM_UNAVAILABLE),
        (403, close_codes.SESSION_GONE),
        (404, close_codes.SESSION_GONE),
        (429, close_codes.SERVICE_UNAVAILABLE),
        (503, close_codes.SERVICE_UNAVAILABLE),
    ],
)
def test_only_a_server_that_refuses_ends_the_session(status: int, why: CloseCode) -> None:
    assert refusal_of(DialError("why", status)) is why
