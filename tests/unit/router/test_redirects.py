"""The relative redirects of the router."""

import pytest
from aiohttp.test_utils import make_mocked_request

from router.redirects import to_stripped_prefix, with_slash


@pytest.mark.parametrize(
    ("target", "location"),
    [("/game", "game/"), ("/dashboard", "dashboard/"), ("/a/dashboard?x=1&y=%26", "dashboard/?x=1&y=%26")],
)
def test_a_missing_slash_is_added_relative_to_the_path(target: str, location: str) -> None:
    redirect = with_slash(make_mocked_request("GET", target))
    assert (redirect.status, redirect.headers["Location"]) == (308, location)


@pytest.mark.parametrize("name", ["X-Envoy-Original-Path", "X-Replaced-Path", "X-Original-URI", "X-Forwarded-Uri"])
def test_a_stripped_prefix_without_its_slash_gets_it(name: str) -> None:
    redirect = to_stripped_prefix(make_mocked_request("GET", "/", {name: "/some/play?id=a"}))
    assert redirect is not None
    assert (redirect.status, redirect.headers["Location"]) == (307, "play/?id=a")
    assert redirect.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("original", ["", "/", "/play/", "/play/?x", "/..", "/.", "/a b", "/\\evil.test", "/http:"])
def test_other_paths_are_not_redirected(original: str) -> None:
    assert to_stripped_prefix(make_mocked_request("GET", "/", {"X-Original-URI": original})) is None


def test_a_redirect_stays_on_its_host() -> None:
    redirect = to_stripped_prefix(make_mocked_request("GET", "/", {"X-Original-URI": "//evil.test"}))
    assert redirect is not None
    assert redirect.headers["Location"] == "evil.test/"  # relative
