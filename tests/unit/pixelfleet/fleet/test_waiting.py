import msgspec
import pytest

from pixelfleet.fleet import resume, waiting
from pixelfleet.fleet.model import Ticket
from pixelfleet.fleet.resume import ResumeToken, resume_key
from pixelfleet.fleet.waiting import AUDIENCE, LIFETIME_SECONDS, WaitingToken, waiting_key
from pixelfleet.service import signing
from pixelfleet.service.signing import TokenError, TokenExpiredError

SESSION_KEY = "k" * 32
KEY = waiting_key(SESSION_KEY)
TICKET = Ticket(
    session_id="a" * 32,
    replica_id="",
    app="game",
    wants="pod-1/cam",
    may_share=True,
    spectator=True,
    labels={"region": "eu"},
    priority=3,
    keeps_place=30,
    person="c" * 32,
)
TOKEN = WaitingToken(TICKET, {"OfferToReceive": "true"})


def test_a_token_is_verified_by_every_holder_of_the_session_key() -> None:
    assert waiting.verify(waiting.sign(TOKEN, KEY), waiting_key(SESSION_KEY)) == TOKEN


def test_a_token_has_a_trace_only_with_tracing() -> None:
    traced = msgspec.structs.replace(TOKEN, trace=f"00-{'a' * 32}-{'b' * 16}-01")
    assert waiting.verify(waiting.sign(traced, KEY), KEY) == traced
    assert "trace" not in signing.verify(waiting.sign(TOKEN, KEY), KEY, audience=AUDIENCE)


def test_a_token_names_neither_the_replica_nor_the_client() -> None:
    ticket = Ticket(session_id="a", replica_id="r1", app="game", client="b" * 16)
    assert waiting.verify(waiting.sign(WaitingToken(ticket), KEY), KEY).ticket == Ticket(
        session_id="a", replica_id="", app="game"
    )


@pytest.mark.parametrize("key", [waiting_key("x" * 32), SESSION_KEY.encode(), resume_key(SESSION_KEY)])
def test_a_token_of_another_key_is_refused(key: bytes) -> None:
    with pytest.raises(TokenError):
        waiting.verify(waiting.sign(TOKEN, key), KEY)


def test_a_resume_token_is_no_waiting_token() -> None:
    other = resume.sign(ResumeToken("a", "pod-1", "ws://10.0.0.1:4000", "game", "b"), KEY)
    with pytest.raises(TokenError):
        waiting.verify(other, KEY)


@pytest.mark.parametrize("claims", [{"sub": "a"}, {"sub": "a", "ticket": {}}, {"sub": "a", "ticket": {"app": 1}}])
def test_a_token_without_its_ticket_is_refused(claims: dict[str, object]) -> None:
    with pytest.raises(TokenError):
        waiting.verify(signing.sign(claims, KEY, audience=AUDIENCE, seconds=60), KEY)


def test_an_expired_token_is_refused() -> None:
    claims = {"sub": "a", "ticket": {"session_id": "a", "replica_id": "", "app": "game"}}
    with pytest.raises(TokenExpiredError):
        waiting.verify(signing.sign(claims, KEY, audience=AUDIENCE, seconds=-LIFETIME_SECONDS), KEY)
