import msgspec
import pytest

from pixelfleet.auth import links
from pixelfleet.fleet import handover, resume, tokens
from pixelfleet.fleet.handover import Destination, handover_key
from pixelfleet.fleet.resume import AUDIENCE, LIFETIME_SECONDS, ResumeToken, resume_key
from pixelfleet.service import signing
from pixelfleet.service.signing import TokenError, TokenExpiredError

SESSION_KEY = "k" * 32
KEY = resume_key(SESSION_KEY)
TOKEN = ResumeToken("a" * 32, "pod-1", "ws://10.0.0.1:4000", "default", "b" * 16, "spectator")
CLAIMS = {"sub": "a", "srv": "pod-1", "url": "ws://10.0.0.1:4000", "app": "default", "line": "b"}


def test_a_token_is_verified_by_every_holder_of_the_session_key() -> None:
    assert resume.verify(resume.sign(TOKEN, KEY), resume_key(SESSION_KEY)) == TOKEN


def test_a_token_has_a_trace_only_with_tracing() -> None:
    traced = msgspec.structs.replace(TOKEN, trace=f"00-{'a' * 32}-{'b' * 16}-01")
    assert resume.verify(resume.sign(traced, KEY), KEY) == traced
    assert "trace" not in signing.verify(resume.sign(TOKEN, KEY), KEY, audience=AUDIENCE)


@pytest.mark.parametrize("key", [resume_key("x" * 32), SESSION_KEY.encode(), handover_key(SESSION_KEY)])
def test_a_token_of_another_key_is_refused(key: bytes) -> None:
    with pytest.raises(TokenError):
        resume.verify(resume.sign(TOKEN, key), KEY)


def test_no_other_token_of_the_fleet_resumes_a_session() -> None:
    others = [
        tokens.sign(tokens.SessionToken("a", AUDIENCE, "cam", "default"), SESSION_KEY),
        links.sign(links.SignedLink(), SESSION_KEY, 60),
        handover.sign(Destination("ws://10.0.0.1:4000", "a"), handover_key(SESSION_KEY)),
        signing.sign(CLAIMS, KEY, audience="pod-1", seconds=60),
        signing.sign(CLAIMS, SESSION_KEY, audience=AUDIENCE, seconds=60),
        "",
        "forged",
    ]
    for text in others:
        with pytest.raises(TokenError):
            resume.verify(text, KEY)


def test_a_resume_token_admits_to_nothing_else() -> None:
    text = resume.sign(TOKEN, KEY)
    with pytest.raises(TokenError):
        tokens.verify(text, SESSION_KEY, AUDIENCE)
    with pytest.raises(TokenError):
        handover.verify(text, handover_key(SESSION_KEY))


@pytest.mark.parametrize("missing", ["sub", "srv", "url", "app", "line"])
def test_a_token_without_one_of_its_claims_is_refused(missing: str) -> None:
    for claims in ({k: v for k, v in CLAIMS.items() if k != missing}, {**CLAIMS, missing: 1}):
        with pytest.raises(TokenError):
            resume.verify(signing.sign(claims, KEY, audience=AUDIENCE, seconds=60), KEY)


def test_a_token_of_an_unknown_role_is_refused() -> None:
    with pytest.raises(TokenError):
        resume.verify(signing.sign({**CLAIMS, "role": "host"}, KEY, audience=AUDIENCE, seconds=60), KEY)


def test_an_expired_token_is_refused() -> None:
    expired = signing.sign(CLAIMS, KEY, audience=AUDIENCE, seconds=-LIFETIME_SECONDS)
    with pytest.raises(TokenExpiredError):
        resume.verify(expired, KEY)
