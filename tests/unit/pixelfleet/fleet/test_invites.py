"""Invites as signed tokens."""

import pytest

from pixelfleet.auth import links
from pixelfleet.fleet import resume, tokens
from pixelfleet.fleet.invites import AUDIENCE, invite_key, sign, verify
from pixelfleet.fleet.resume import ResumeToken, resume_key
from pixelfleet.fleet.tokens import SessionToken
from pixelfleet.protocol.people import MAX_SECONDS, Invite
from pixelfleet.service import signing
from pixelfleet.service.signing import LEEWAY_SECONDS, TokenError, TokenExpiredError

KEY = "k" * 40
INVITE = Invite(session="s" * 32, role="guest", app="game", name="Ada", once=True)


def test_an_invite_has_its_content_and_an_id_of_its_own() -> None:
    first, second = (verify(sign(INVITE, invite_key(KEY), 60), invite_key(KEY)) for _ in range(2))
    assert (first.session, first.role, first.app, first.name, first.once) == ("s" * 32, "guest", "game", "Ada", True)
    assert first.id != second.id
    assert first.expires > 0


@pytest.mark.parametrize("seconds", [0, -1, MAX_SECONDS + 1])
def test_an_invite_is_valid_for_a_bounded_time(seconds: int) -> None:
    with pytest.raises(ValueError, match="seconds"):
        sign(INVITE, invite_key(KEY), seconds)


def test_an_expired_invite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pixelfleet.service.signing.time.time", lambda: 1e9)
        expired = sign(INVITE, invite_key(KEY), LEEWAY_SECONDS)
    with pytest.raises(TokenExpiredError):
        verify(expired, invite_key(KEY))


def test_no_other_token_of_the_fleet_is_an_invite_and_an_invite_is_no_other_token() -> None:
    others = [
        tokens.sign(SessionToken("s" * 32, "server", "cam", "game"), KEY),
        resume.sign(ResumeToken("s" * 32, "server", "ws://a", "game", "1"), resume_key(KEY)),
        links.sign(links.SignedLink(roles=("guest",)), KEY, 60),
        sign(INVITE, invite_key("x" * 40), 60),
        "",
    ]
    for other in others:
        with pytest.raises(TokenError):
            verify(other, invite_key(KEY))
    own = sign(INVITE, invite_key(KEY), 60)
    with pytest.raises(TokenError):
        tokens.verify(own, KEY, "server")
    with pytest.raises(TokenError):
        resume.verify(own, resume_key(KEY))


@pytest.mark.parametrize("claims", [{}, {"role": "host"}, {"name": "n" * 41}, {"once": "yes"}, {"app": 7}])
def test_claims_of_another_shape_are_refused(claims: dict[str, object]) -> None:
    whole = {"sub": "s", "role": "guest", "app": "game", "id": "1"} if claims else {}
    token = signing.sign({**whole, **claims}, invite_key(KEY), audience=AUDIENCE, seconds=60)
    with pytest.raises(TokenError):
        verify(token, invite_key(KEY))


def test_a_session_token_carries_the_invite() -> None:
    token = SessionToken("g" * 32, "server", "cam", "game", "guest", invite=INVITE, shares=True)
    assert tokens.verify(tokens.sign(token, KEY), KEY, "server") == token
