import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from pydantic import SecretStr

from pixelfleet.net.access import (
    MAX_FORWARDED_HOPS,
    TokenGuard,
    bearer_header,
    bearer_token,
    client_address,
    origin_allowed,
    same_secret,
)

SECRET = SecretStr("correct horse")


@given(st.text())
def test_only_the_secret_itself_equals_it(given_text: str) -> None:
    assert same_secret(given_text, SECRET) is (given_text == "correct horse")


def test_a_missing_secret_is_wrong() -> None:
    assert not same_secret(None, SecretStr(""))


def test_the_header_of_a_token_is_parsed_back() -> None:
    assert bearer_token(bearer_header(SECRET)["Authorization"]) == "correct horse"
    assert bearer_header(None) == bearer_header(SecretStr("")) == {}


def test_a_header_with_invalid_utf8_is_no_secret() -> None:
    assert not same_secret("\udcff", SECRET)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic abc", None),
        ("abc", None),
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("BEARER a b", "a b"),
    ],
)
def test_a_bearer_token_is_parsed(header: str | None, token: str | None) -> None:
    assert bearer_token(header) == token


def with_header(value: str | None) -> web.Request:
    return make_mocked_request("POST", "/drain", headers={} if value is None else {"Authorization": value})


def test_without_a_configured_token_every_request_is_refused() -> None:
    guard = TokenGuard(None, "--rest-token")
    for header in (None, "Bearer ", "Bearer x", "Bearer None"):
        with pytest.raises(web.HTTPForbidden) as refused:
            guard.check(with_header(header))
        assert "--rest-token" in refused.value.reason


@pytest.mark.parametrize("header", [None, "", "Bearer wrong", "Basic Y29ycmVjdA==", "correct horse"])
def test_a_request_without_the_token_is_unauthorized(header: str | None) -> None:
    with pytest.raises(web.HTTPUnauthorized) as refused:
        TokenGuard(SECRET, "--rest-token").check(with_header(header))
    assert refused.value.headers["WWW-Authenticate"] == "Bearer"
    assert "correct" not in refused.value.reason


def test_a_request_with_the_token_passes() -> None:
    TokenGuard(SECRET, "--rest-token").check(with_header("Bearer correct horse"))


@pytest.mark.parametrize(
    ("origin", "allowed", "may"),
    [
        (None, [], True),
        ("https://a.example", [], False),
        ("https://a.example", ["*"], True),
        ("https://a.example", ["https://a.example"], True),
        ("https://A.Example/", ["https://a.example"], True),
        ("https://a.example", ["https://a.example/"], True),
        ("http://a.example", ["https://a.example"], False),
        ("https://a.example.evil", ["https://a.example"], False),
        ("null", ["https://a.example"], False),
        ("", ["https://a.example"], False),
    ],
)
def test_origins_are_compared_with_the_allowed_ones(origin: str | None, allowed: list[str], *, may: bool) -> None:
    assert origin_allowed(origin, allowed) is may


PEER = "10.0.0.1"


def forwarded(*lines: str) -> CIMultiDict[str]:
    return CIMultiDict([("X-Forwarded-For", line) for line in lines])


@pytest.mark.parametrize(
    ("lines", "proxies", "address"),
    [
        ((), 1, PEER),
        (("1.2.3.4",), 0, PEER),
        (("1.2.3.4",), -1, PEER),
        (("1.2.3.4",), 1, "1.2.3.4"),
        (("6.6.6.6, 1.2.3.4",), 1, "1.2.3.4"),
        (("6.6.6.6, 1.2.3.4, 10.0.0.2",), 2, "1.2.3.4"),
        (("6.6.6.6", "1.2.3.4"), 1, "1.2.3.4"),
        (("1.2.3.4",), 2, PEER),
        (("2001:db8:0::1",), 1, "2001:db8::1"),
        (("1.2.3.4:4711",), 1, "1.2.3.4"),
        (("[2001:db8::1]:4711",), 1, "2001:db8::1"),
        (("[2001:db8::1]",), 1, "2001:db8::1"),
        (("1.2.3.4:4711:1",), 1, PEER),
        (("unknown",), 1, PEER),
        (("<script>",), 1, PEER),
        (("1.2.3.4, ",), 1, PEER),
    ],
)
def test_only_the_entries_of_trusted_proxies_count(lines: tuple[str, ...], proxies: int, address: str) -> None:
    assert client_address(PEER, forwarded(*lines), proxies) == address


@given(st.lists(st.text(alphabet="0123456789.,: abcdef", max_size=40), max_size=5), st.integers(1, 3))
def test_a_client_cannot_choose_its_address(lies: list[str], proxies: int) -> None:
    seen = [f"192.0.2.{number}" for number in range(proxies)]
    assert client_address(PEER, forwarded(*lies, *seen), proxies) == seen[0]


def test_the_number_of_hops_is_limited() -> None:
    assert client_address(PEER, forwarded(", ".join(["1.2.3.4"] * 1000)), MAX_FORWARDED_HOPS + 1) == PEER
