import time
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar

import jwt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pixelfleet.fleet.limits import SessionLimits
from pixelfleet.fleet.tokens import LIFETIME_SECONDS, SessionToken, sign, verify
from pixelfleet.service.keys import MIN_KEY_BYTES
from pixelfleet.service.signing import ALGORITHM, ISSUER, TokenError, TokenExpiredError

KEY = "k" * MIN_KEY_BYTES
LEEWAY_SECONDS = 60
"""The time by which the matchmaker's clock may be behind the signalling server's."""
TOKEN = SessionToken("session", "server", "cam", "app")


class Clock(datetime):
    """The clock of signing and verification, which only a test moves."""

    at: ClassVar[float] = 1_800_000_000.0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.fromtimestamp(cls.at, tz)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr("jwt.api_jwt.datetime", Clock)
    monkeypatch.setattr(time, "time", lambda: Clock.at)
    monkeypatch.setattr(Clock, "at", datetime(2027, 1, 15, tzinfo=UTC).timestamp())
    return Clock


@settings(deadline=None)
@given(*[st.text(min_size=1, max_size=40)] * 4)
def test_a_signed_token_is_verified(session: str, server: str, endpoint: str, app: str) -> None:
    token = SessionToken(session, server, endpoint, app)
    assert verify(sign(token, KEY), KEY, server) == token


def claims(**changes: object) -> dict[str, Any]:
    now = int(time.time())
    whole = {
        "iss": ISSUER,
        "sub": "session",
        "aud": "server",
        "endpoint": "cam",
        "app": "app",
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
    }
    return whole | changes


def signed(algorithm: str = ALGORITHM, key: str = KEY, **changes: object) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm)


def signed_without(name: str) -> str:
    return jwt.encode({claim: value for claim, value in claims().items() if claim != name}, KEY, algorithm=ALGORITHM)


@pytest.mark.parametrize("limits", [None, SessionLimits(), SessionLimits(60.0), SessionLimits(0.0, 30.0)])
def test_a_token_carries_the_limits_of_its_session(limits: SessionLimits | None) -> None:
    token = SessionToken("session", "server", "cam", "app", limits=limits)
    assert verify(sign(token, KEY), KEY, "server") == token


def test_the_claims_of_a_good_token() -> None:
    assert verify(signed(), KEY, "server") == TOKEN


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(lambda: signed(key="x" * MIN_KEY_BYTES), id="another key"),
        pytest.param(lambda: signed(aud="other"), id="another server"),
        pytest.param(lambda: signed(iss="other"), id="another issuer"),
        pytest.param(lambda: signed(exp=int(time.time()) - 61), id="expired"),
        pytest.param(lambda: signed(algorithm="none", key=""), id="unsigned"),
        pytest.param(lambda: signed(algorithm="HS384", key="k" * 48), id="another algorithm"),
        *[pytest.param(lambda name=name: signed_without(name), id=f"no {name}") for name in claims()],
        pytest.param(lambda: signed(endpoint=7), id="endpoint is no text"),
        pytest.param(lambda: signed(app=None), id="app is no text"),
        pytest.param(lambda: signed(sub=7), id="session is no text"),
        pytest.param(lambda: signed(exp="soon"), id="expiry is no number"),
        pytest.param(lambda: signed()[:-2], id="cut"),
        pytest.param(lambda: signed() + "x", id="longer"),
    ],
)
@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
def test_any_other_token_is_refused(text: Any) -> None:
    with pytest.raises(TokenError) as refused:
        verify(text(), KEY, "server")
    assert KEY not in str(refused.value)


@given(st.text(max_size=80) | st.text(alphabet="abcXYZ019-_=.", max_size=80))
@example("")
@example("..")
@example("a.b.c")
def test_arbitrary_text_is_refused(text: str) -> None:
    with pytest.raises(TokenError):
        verify(text, KEY, "server")


@pytest.mark.parametrize(
    ("seconds", "holds"),
    [
        (-3600, True),
        (-12, True),
        (0, True),
        (LIFETIME_SECONDS + LEEWAY_SECONDS - 1, True),
        (LIFETIME_SECONDS + LEEWAY_SECONDS, False),
    ],
)
def test_a_token_is_valid_for_its_lifetime_and_the_leeway_and_also_before_its_time_of_issue(
    clock: type[Clock], seconds: int, holds: bool
) -> None:
    text = sign(TOKEN, KEY)
    clock.at += seconds
    if holds:
        assert verify(text, KEY, "server") == TOKEN
    else:
        with pytest.raises(TokenExpiredError):
            verify(text, KEY, "server")


def test_a_token_expires_soon() -> None:
    decoded = jwt.decode(sign(TOKEN, KEY), KEY, algorithms=[ALGORITHM], audience="server")
    assert decoded["exp"] - decoded["iat"] == LIFETIME_SECONDS <= 60


def test_the_longest_time_of_a_session_is_signed() -> None:
    token = SessionToken("session", "server", "cam", "app", seconds=90.5)
    assert verify(sign(token, KEY), KEY, "server") == token
