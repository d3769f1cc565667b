"""Who may come in at a door."""

import time
from typing import Any

import bcrypt
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from pixelfleet.auth.guard import Guard, check_same_site
from pixelfleet.auth.htpasswd import Users, read_users
from pixelfleet.auth.links import SignedLink, sign
from pixelfleet.auth.oidc import Tokens
from pixelfleet.auth.policy import AccessPolicy
from pixelfleet.fleet.store import StoreUnavailableError
from tests.unit.pixelfleet.auth import keys
from tests.unit.pixelfleet.auth.test_oidc import tokens

KEY = "k" * 40
ADA = {"Authorization": "Basic YWRhOnNlY3JldA=="}
PLAYERS = AccessPolicy("players", "basic", links=True)
OPERATORS = AccessPolicy("dashboard", "basic", role="admin")


def guard(**parts: Any) -> Guard:
    users = read_users([f"ada:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}"], "player")
    return Guard(["*"], cookie="session", users=Users(users, time.monotonic), link_key=KEY, **parts)


def request(path: str = "/", method: str = "GET", **headers: str) -> web.Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return make_mocked_request(method, path, headers={"Host": "door.test", **named})


async def test_an_open_door_asks_for_nothing_not_even_a_role() -> None:
    identity = await guard().check(
        AccessPolicy("proxy", "none", role="admin"), request(**{**ADA, "Origin": "https://evil.test"})
    )
    assert (identity.method, identity.roles) == ("none", frozenset())


async def test_who_shows_nothing_is_asked_in_the_doors_own_way() -> None:
    for method, scheme in (("basic", "Basic"), ("jwt", "Bearer"), ("link", "Bearer")):
        with pytest.raises(web.HTTPUnauthorized) as refused:
            await guard().check(AccessPolicy("players", method), request())  # type: ignore[arg-type]  # a way
        assert refused.value.headers["WWW-Authenticate"] == f'{scheme} realm="pixelfleet"'


async def test_a_role_that_is_missing_is_another_matter_than_a_proof() -> None:
    assert (await guard().check(PLAYERS, request(**ADA))).subject == "ada"
    with pytest.raises(web.HTTPForbidden):
        await guard().check(OPERATORS, request(**ADA))


async def test_a_link_opens_the_doors_for_links_alone() -> None:
    link = sign(SignedLink(subject="eve", roles=("admin",)), KEY, 60)
    assert (await guard().check(PLAYERS, request(f"/?link={link}"))).subject == "eve"
    with pytest.raises(web.HTTPUnauthorized):
        await guard().check(OPERATORS, request(f"/?link={link}"))
    with pytest.raises(web.HTTPUnauthorized):  # and a wrong one is not made good by a password
        await guard().check(PLAYERS, request(f"/?link={link}x", **ADA))


async def test_a_link_that_serves_once_is_used_up_by_who_can() -> None:
    link = sign(SignedLink(once=True), KEY, 60)
    used: list[str] = []

    async def redeem(name: str, until: float) -> bool:
        used.append(name)
        return len(used) == 1

    async def away(name: str, until: float) -> bool:
        raise StoreUnavailableError("away")

    asked = request(f"/?link={link}")
    await guard().check(PLAYERS, asked)
    await guard(redeem=redeem).check(PLAYERS, asked)
    with pytest.raises(web.HTTPUnauthorized, match="used"):
        await guard(redeem=redeem).check(PLAYERS, asked)
    with pytest.raises(web.HTTPServiceUnavailable):
        await guard(redeem=away).check(PLAYERS, asked)


async def test_an_issuer_that_cannot_be_asked_refuses_nobody_for_good() -> None:
    unknown: Tokens = tokens(away=True)
    with pytest.raises(web.HTTPServiceUnavailable):
        await guard(tokens=unknown).check(
            AccessPolicy("players", "jwt"), request(Authorization=f"Bearer {keys.token()}")
        )


@pytest.mark.parametrize(
    ("credentials", "origin", "may"),
    [
        ("header", "https://evil.test", True),  # a page of another site has no way to come by it
        ("cookie", "https://evil.test", False),
        ("cookie", "null", False),
        ("cookie", "http://door.test", True),
        ("cookie", "http://door.test:80", True),
        ("cookie", "https://door.test:80", False),
        ("basic", "https://evil.test", False),
    ],
)
async def test_what_a_browser_adds_by_itself_serves_our_own_pages(credentials: str, origin: str, *, may: bool) -> None:
    how = {
        "header": {"Authorization": f"Bearer {keys.token()}"},
        "cookie": {"Cookie": f"session={keys.token()}"},
        "basic": ADA,
    }[credentials]
    policy = AccessPolicy("players", "basic" if credentials == "basic" else "jwt")
    check = guard(tokens=tokens()).check(policy, request(**how, Origin=origin))
    if may:
        await check
    else:
        with pytest.raises(web.HTTPForbidden):
            await check


@pytest.mark.parametrize(
    ("method", "headers", "may"),
    [
        ("GET", {}, True),
        ("POST", {}, True),  # a program
        ("POST", {"Sec-Fetch-Site": "same-origin"}, True),
        ("POST", {"Sec-Fetch-Site": "same-site"}, False),
        ("POST", {"Sec-Fetch-Site": "cross-site"}, False),
        ("GET", {"Origin": "https://evil.test"}, False),
        ("POST", {"Origin": "https://shop.test"}, True),
        ("POST", {"Origin": "https://shop.test", "Sec-Fetch-Site": "cross-site"}, True),
    ],
)
def test_which_pages_may_do_something_in_a_persons_name(method: str, headers: dict[str, str], *, may: bool) -> None:
    asked = make_mocked_request(method, "/", headers={"Host": "door.test", **headers})
    if may:
        check_same_site(asked, ["*", "https://shop.test"])
    else:
        with pytest.raises(web.HTTPForbidden):
            check_same_site(asked, ["*", "https://shop.test"])


def test_the_next_door_is_shown_what_was_shown_here_and_no_cookie() -> None:
    assert guard().authorization(request(**ADA)) == ADA["Authorization"]
    assert guard().authorization(request(Cookie="session=abc")) == "Bearer abc"
    assert guard().authorization(request(Sec_WebSocket_Protocol="pixelfleet, bearer.abc")) == "Bearer abc"
    assert guard().authorization(request(Cookie="other=abc")) is None


def test_the_key_of_links_is_not_shown() -> None:
    assert KEY not in repr(guard())
