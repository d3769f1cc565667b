"""Targets and headers that the router forwards."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from router.proxy.rules import (
    BadTargetError,
    answer_headers,
    checked_target,
    proxy_target,
    request_headers,
    upstream_url,
)

BASE = "http://10.0.0.7:30010/remote"


@pytest.mark.parametrize(
    ("raw", "streamer", "path", "query"),
    [
        ("/proxy/cam/", "cam", "/", ""),
        ("/proxy/cam", "cam", "/", ""),
        ("/proxy/pod-1%2Fcam/a/b%20c?x=1&y=..%2f", "pod-1/cam", "/a/b%20c", "x=1&y=..%2f"),
        ("/proxy/10.0.0.5:80%2Fstock/level", "10.0.0.5:80/stock", "/level", ""),
        ("/proxy/cam/%C3%A9/@id:7/x;v=1", "cam", "/%C3%A9/@id:7/x;v=1", ""),
    ],
)
def test_a_target_contains_streamer_path_and_query(raw: str, streamer: str, path: str, query: str) -> None:
    found = proxy_target(raw, "/proxy/")
    assert (found.streamer, found.path, found.query) == (streamer, path, query)


EVIL = [
    "/proxy/",
    "/proxy//cam/x",
    "/proxy/../api/x",
    "/proxy/cam/../other/x",
    "/proxy/cam/..",
    "/proxy/cam/./x",
    "/proxy/cam/%2e%2e/x",
    "/proxy/cam/%252e%252e/x",
    "/proxy/cam/%25252e%25252e/x",
    "/proxy/cam/..;/x",
    "/proxy/cam/a%2Fb",
    "/proxy/cam/%2f%2fevil.test/",
    "/proxy/cam/a%252Fb",
    "/proxy/cam/a%5cb",
    "/proxy/cam/a\\b",
    "/proxy/cam//evil.test/",
    "/proxy/cam/a%00b",
    "/proxy/cam/a%0d%0aX:%20y",
    "/proxy/cam/a b",
    "/proxy/cam/\u00e9",
    "/proxy/cam/#x",
    "/proxy/cam@evil.test/x",
    "/proxy/cam%40evil.test/x",
    "/proxy/user:pw@cam/x",
    "/proxy/http:%2F%2Fevil.test/x",
    "/proxy/http://evil.test/x",
    "/proxy/%2F%2Fevil.test/x",
    "/proxy/..%2Fcam/x",
    "/proxy/a%2F..%2Fb/x",
    "/proxy/a%2Fb%2Fc/x",
    "/proxy/cam%3Fx/y",
    "/proxy/cam%00/x",
    "//evil.test/proxy/cam/",
    "http://evil.test/proxy/cam/",
    "evil.test:443",
    "*",
    "",
    "/other/cam/x",
    "/proxy/" + "a" * 200 + "/x",
    "/proxy/cam/" + "a" * 5000,
]


@pytest.mark.parametrize("raw", EVIL)
def test_a_target_that_could_reach_another_resource_is_refused(raw: str) -> None:
    with pytest.raises(BadTargetError):
        proxy_target(raw, "/proxy/")


@given(st.text(alphabet="/.%25cF2fe@:\\?#;a ", max_size=40))
def test_every_accepted_target_is_on_the_registered_host_and_below_its_path(text: str) -> None:
    try:
        target = proxy_target(f"/proxy/cam/{text}", "/proxy/")
    except BadTargetError:
        return
    url = upstream_url(BASE, target.path, target.query)
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("http", "10.0.0.7:30010")
    assert parts.path.startswith("/remote/")
    assert ".." not in parts.path.split("/")


@pytest.mark.parametrize(
    "base", ["ftp://x/", "http://", "http://u:p@x/", "http://x/?q", "http://x/#f", "", "file:///x"]
)
def test_an_invalid_rest_address_is_refused(base: str) -> None:
    with pytest.raises(BadTargetError):
        upstream_url(base, "/x", "")


def test_an_encoded_slash_is_allowed_on_request() -> None:
    assert checked_target("/api/v1/streamers/a%2Fb?x=1", encoded_slash=True) == ("/api/v1/streamers/a%2Fb", "x=1")
    with pytest.raises(BadTargetError):
        checked_target("/api/v1/streamers/a%2F..%2Fb", encoded_slash=True)


def test_headers_of_the_connection_and_the_router_are_not_forwarded() -> None:
    headers = CIMultiDict(
        [
            ("Accept", "a"),
            ("Connection", "close, X-Secret"),
            ("X-Secret", "1"),
            ("Transfer-Encoding", "chunked"),
            ("TE", "trailers"),
            ("Keep-Alive", "1"),
            ("Upgrade", "h2c"),
            ("Authorization", "Basic x"),
            ("Cookie", "token=x"),
            ("Host", "evil.test"),
            ("Content-Length", "5"),
            ("X-Forwarded-For", "1.2.3.4"),
            ("X-Forwarded-Host", "evil.test"),
            ("Forwarded", "for=1.2.3.4"),
            ("X-Pixelfleet-Action", "1"),
            ("Sec-WebSocket-Protocol", "bearer.secret"),
            ("Content-Type", "text/plain"),
        ]
    )
    assert dict(request_headers(headers)) == {"Accept": "a", "Content-Type": "text/plain"}


def test_a_streamer_cannot_set_cookies_or_policies_for_the_routers_origin() -> None:
    headers = CIMultiDict(
        [
            ("Content-Type", "text/html"),
            ("Set-Cookie", "a=b"),
            ("Set-Cookie", "c=d"),
            ("Content-Security-Policy", "default-src *"),
            ("Access-Control-Allow-Origin", "*"),
            ("Connection", "X-Own"),
            ("X-Own", "1"),
            ("Strict-Transport-Security", "max-age=1"),
            ("Location", "/next"),
        ]
    )
    assert dict(answer_headers(headers)) == {"Content-Type": "text/html", "Location": "/next"}
