"""One sign-in on its way to the issuer and back."""

import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict

from pixelfleet.service import signing
from router.sign_in import flow
from router.sign_in.problems import Problem, SignInFailedError

KEY = flow.flow_key("k" * 32)
ISSUER = "https://login.test"


def problem(*answer: tuple[str, str], begun: flow.Flow, names_issuer: bool = False) -> Problem | str:
    """Return the problem of an answer, or its code."""
    try:
        return flow.code_of(MultiDict(answer), begun, KEY, issuer=ISSUER, names_issuer=names_issuer)
    except SignInFailedError as error:
        return error.problem


def test_the_issuer_gets_the_challenge_and_never_the_verifier() -> None:
    begun = flow.begin("/")
    url = flow.authorization_url(
        f"{ISSUER}/auth?realm=play",
        begun,
        KEY,
        client_id="me",
        callback="https://play.test/sign-in/callback",
        scopes=["openid", "profile"],
        again=False,
    )
    query = parse_qs(urlsplit(url).query)
    assert query == {
        "realm": ["play"],
        "response_type": ["code"],
        "client_id": ["me"],
        "redirect_uri": ["https://play.test/sign-in/callback"],
        "scope": ["openid profile"],
        "state": [begun.state(KEY)],
        "nonce": [begun.nonce(KEY)],
        "code_challenge": [urlsafe_b64encode(sha256(begun.verifier(KEY).encode()).digest()).decode().rstrip("=")],
        "code_challenge_method": ["S256"],
    }
    assert begun.verifier(KEY) not in url
    assert begun.verifier(KEY) not in flow.sign(begun, KEY), "nor does the cookie reveal it"


def test_each_purpose_and_each_flow_has_a_value_of_its_own() -> None:
    one, other = flow.begin("/"), flow.begin("/")
    values = {value(KEY) for each in (one, other) for value in (each.state, each.nonce, each.verifier)}
    assert len(values) == 6
    assert all(len(each) == 43 for each in values), "the least length of a verifier"


def test_the_cookie_of_a_flow_is_read_back_and_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = flow.begin("/?app=city")
    assert flow.read(flow.sign(begun, KEY), KEY) == begun
    for text in (
        None,
        "",
        "x",
        flow.sign(begun, flow.flow_key("another" * 8)),
        signing.sign({}, KEY, audience="x", seconds=9),
    ):
        with pytest.raises(SignInFailedError) as failed:
            flow.read(text, KEY)
        assert failed.value.problem is Problem.COOKIE
    before = flow.sign(begun, KEY)
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now - flow.SECONDS - signing.LEEWAY_SECONDS - 5)
        old = flow.sign(begun, KEY)
    assert old != before
    with pytest.raises(SignInFailedError) as failed:
        flow.read(old, KEY)
    assert failed.value.problem is Problem.EXPIRED


def test_only_the_answer_to_this_flow_gives_a_code() -> None:
    begun, other = flow.begin("/"), flow.begin("/")
    state = ("state", begun.state(KEY))
    assert problem(("code", "c"), state, begun=begun) == "c"
    assert problem(("code", "c"), state, ("iss", ISSUER), begun=begun, names_issuer=True) == "c"
    assert problem(("code", "c"), begun=begun) is Problem.COOKIE
    assert problem(("code", "c"), ("state", other.state(KEY)), begun=begun) is Problem.COOKIE
    assert problem(("code", "c"), ("state", "ü"), begun=begun) is Problem.COOKIE
    assert problem(state, begun=begun) is Problem.ANSWER
    assert problem(("code", "c" * 5000), state, begun=begun) is Problem.ANSWER
    assert problem(("code", "c"), ("code", "d"), state, begun=begun) is Problem.ANSWER


def test_an_answer_of_another_issuer_is_refused() -> None:
    begun = flow.begin("/")
    answer = [("code", "c"), ("state", begun.state(KEY))]
    assert problem(*answer, ("iss", "https://evil.test"), begun=begun) is Problem.ANSWER
    assert problem(*answer, begun=begun, names_issuer=True) is Problem.ANSWER, "this issuer always names itself"


def test_an_error_of_the_issuer_is_a_refusal_or_a_fault() -> None:
    begun = flow.begin("/")
    state = ("state", begun.state(KEY))
    assert problem(("error", "access_denied"), state, begun=begun) is Problem.REFUSED
    assert problem(("error", "server_error"), state, begun=begun) is Problem.ANSWER
    assert problem(("error", "access_denied"), begun=begun) is Problem.COOKIE, "only the issuer knows the state"


@pytest.mark.parametrize(
    ("wanted", "back"),
    [
        ("/game/", "/game/"),
        ("/game/?app=city&id=a%2Fb", "/game/?app=city&id=a%2Fb"),
        ("/game/dashboard/", "/game/dashboard/"),
        ("/game/sign-in?return=/game/", "/game/"),
        ("/other/", "/game/"),
        ("/game", "/game/"),
        ("", "/game/"),
        ("//evil.test/game/", "/game/"),
        ("/game//evil.test", "/game/"),
        ("https://evil.test/game/", "/game/"),
        ("/game/\\evil.test", "/game/"),
        ("/game/..//evil.test", "/game/"),
        ("/game/%2e%2e/x", "/game/"),
        ("/game/\r\nSet-Cookie: a=b", "/game/"),
        ("/game/ü", "/game/"),
        ("/game/" + "x" * 3000, "/game/"),
    ],
)
def test_a_browser_returns_to_paths_of_this_router_only(wanted: str, back: str) -> None:
    assert flow.back_path(wanted, "/game") == back


@given(st.text(max_size=60))
def test_any_return_path_stays_on_this_router(wanted: str) -> None:
    back = flow.back_path(wanted, "")
    assert back.startswith("/")
    assert not back.startswith("//")
    assert back.isascii()
    assert back.isprintable()
