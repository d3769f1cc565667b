"""Credentials of a request."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from pixelfleet.auth.credentials import Credentials, credentials_of, offers_subprotocol


def credentials(
    headers: dict[str, str] | None = None,
    cookies: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    cookie: str = "session",
) -> Credentials:
    return credentials_of(CIMultiDict(headers or {}), cookies or {}, query or {}, cookie)


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_a_password_is_read_and_may_hold_colons() -> None:
    assert credentials(basic("ada:a:b")) == Credentials(user=("ada", "a:b"), ambient=True)


@pytest.mark.parametrize("text", ["ada", ":x", "", "a" * 200 + ":x", "ada:" + "x" * 2000])
def test_an_invalid_name_and_password_are_ignored(text: str) -> None:
    assert not credentials(basic(text)).any


@pytest.mark.parametrize(
    "header", ["Basic", "Basic =", "Basic \u00e9", "Basic //79", "Digest abc", "Bearer", "Bearer  "]
)
def test_a_malformed_header_is_ignored(header: str) -> None:
    assert not credentials({"Authorization": header}).any


def test_the_header_has_precedence_over_the_subprotocol_and_the_cookie() -> None:
    headers = {"Authorization": "bearer one", "Sec-WebSocket-Protocol": "pixelfleet, bearer.two"}
    assert credentials(headers, {"session": "three"}) == Credentials(token="one")
    del headers["Authorization"]
    assert credentials(headers, {"session": "three"}) == Credentials(token="two")
    assert credentials({}, {"session": "three"}) == Credentials(token="three", ambient=True)
    assert not credentials({}, {"session": "three"}, cookie="").any


def test_a_link_may_accompany_other_credentials() -> None:
    assert credentials(basic("a:b"), query={"link": "x"}).link == "x"


def test_a_token_over_the_limit_is_not_read_but_counts_as_credentials() -> None:
    found = credentials({"Authorization": "Bearer " + "x" * 9000})
    assert found.token == ""
    assert found.any


def test_a_token_that_is_not_ascii_is_not_read_but_counts_as_credentials() -> None:
    found = credentials({"Authorization": "Bearer \udcff"}, query={"link": "\N{SNOWMAN}"})
    assert (found.token, found.link, found.any) == ("", "", True)


def test_the_subprotocol_is_found_among_others() -> None:
    assert offers_subprotocol(CIMultiDict({"Sec-WebSocket-Protocol": "bearer.x,  pixelfleet"}))
    assert not offers_subprotocol(CIMultiDict({"Sec-WebSocket-Protocol": "bearer.pixelfleet"}))


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_header_raises(authorization: str, subprotocol: str, cookie: str) -> None:
    credentials({"Authorization": authorization, "Sec-WebSocket-Protocol": subprotocol}, {"session": cookie})


@pytest.mark.parametrize("token", ["a\r\nX-Admin: 1", "a\nb", "a b", 'a"b', "a,b", "a;b", "=a", "a=b", "a\0"])
def test_a_token_with_other_characters_is_not_read_but_counts_as_credentials(token: str) -> None:
    for found in (
        credentials({}, {"session": token}),
        credentials({"Authorization": f"Bearer {token}"}),
        credentials({}, query={"link": token}),
    ):
        assert "" in (found.token, found.link)
        assert found.any


@pytest.mark.parametrize("token", ["eyJ.eyJ.abc-_", "a+b/c==", "~"])
def test_the_characters_of_a_bearer_token_are_read(token: str) -> None:
    assert credentials({}, {"session": token}).token == token
