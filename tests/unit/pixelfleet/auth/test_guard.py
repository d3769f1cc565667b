"""Authentication and authorization of requests."""

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
from pixelfleet.service.signing import LEEWAY_SECONDS
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


async def test_the_method_none_requires_no_credentials_and_no_role() -> None:
    identity = await guard().check(
        AccessPolicy("proxy", "none", role="admin"), request(**{**ADA, "Origin": "https://evil.test"})
    )
    assert (identity.method, identity.roles) == ("none", frozenset())


async def test_a_request_without_credentials_gets_the_challenge_of_the_method() -> None:
    for method, scheme in (("basic", "Basic"), ("jwt", "Bearer"), ("link", "Bearer")):
        with pytest.raises(web.HTTPUnauthorized) as refused:
            await guard().check(AccessPolicy("players", method), request())  # type: ignore[arg-type]  # a method
        assert refused.value.headers["WWW-Authenticate"] == f'{scheme} realm="pixelfleet"'


async def test_a_missing_role_is_forbidden() -> None:
    assert (await guard().check(PLAYERS, request(**ADA))).subject == "ada"
    with pytest.raises(web.HTTPForbidden):
        await guard().check(OPERATORS, request(**ADA))


async def test_a_link_is_valid_only_where_the_policy_allows_links() -> None:
    link = sign(SignedLink(subject="eve", roles=("admin",)), KEY, 60)
    assert (await guard().check(PLAYERS, request(f"/?link={link}"))).subject == "eve"
    with pytest.raises(web.HTTPUnauthorized):
        await guard().check(OPERATORS, request(f"/?link={link}"))
    with pytest.raises(web.HTTPUnauthorized):  # a valid password does not replace an invalid link
        await guard().check(PLAYERS, request(f"/?link={link}x", **ADA))


async def test_a_single_use_link_is_redeemed_where_the_guard_can() -> None:
    link = sign(SignedLink(once=True), KEY, 60)
    used: list[str] = []

    async def redeem(name: str, until: float) -> bool:
        used.append(name)
        return len(used) == 1

    async def unavailable(name: str, until: float) -> bool:
        raise StoreUnavailableError("unavailable")

    identity = await guard(redeem=redeem).check(PLAYERS, request(f"/?link={link}"))
    assert used == []
    await guard().redeem_link(identity)
    await guard(redeem=redeem).redeem_link(identity)
    with pytest.raises(web.HTTPUnauthorized, match="used") as refused:
        await guard(redeem=redeem).redeem_link(identity)
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")
    with pytest.raises(web.HTTPServiceUnavailable):
        await guard(redeem=unavailable).redeem_link(identity)


async def test_a_redeemed_link_is_remembered_for_longer_than_it_is_valid() -> None:
    remembered: list[float] = []

    async def redeem(name: str, until: float) -> bool:
        remembered.append(until)
        return True

    before = int(time.time())
    identity = await guard().check(PLAYERS, request(f"/?link={sign(SignedLink(once=True), KEY, 60)}"))
    await guard(redeem=redeem).redeem_link(identity)
    assert remembered[0] >= before + 60 + 2 * LEEWAY_SECONDS


async def test_other_identities_have_nothing_to_redeem() -> None:
    async def redeem(name: str, until: float) -> bool:
        raise AssertionError(name)

    for sent in (request(f"/?link={sign(SignedLink(), KEY, 60)}"), request(**ADA)):
        await guard(redeem=redeem).redeem_link(await guard().check(PLAYERS, sent))


async def test_an_unreachable_issuer_is_answered_with_503() -> None:
    unknown: Tokens = tokens(unreachable=True)
    with pytest.raises(web.HTTPServiceUnavailable):
        await guard(tokens=unknown).check(
            AccessPolicy("players", "jwt"), request(Authorization=f"Bearer {keys.token()}")
        )


@pytest.mark.parametrize(
    ("credentials", "origin", "may"),
    [
        ("header", "https://evil.test", True),  # another site's page has no access to the token
        ("cookie", "https://evil.test", False),
        ("cookie", "null", False),
        ("cookie", "http://door.test", True),
        ("cookie", "http://door.test:80", True),
        ("cookie", "https://door.test:80", False),
        ("basic", "https://evil.test", False),
    ],
)
async def test_ambient_credentials_are_valid_for_the_same_origin_only(
    credentials: str, origin: str, *, may: bool
) -> None:
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
        ("POST", {}, True),  # not a browser
        ("POST", {"Sec-Fetch-Site": "same-origin"}, True),
        ("POST", {"Sec-Fetch-Site": "same-site"}, False),
        ("POST", {"Sec-Fetch-Site": "cross-site"}, False),
        ("GET", {"Origin": "https://evil.test"}, False),
        ("POST", {"Origin": "https://shop.test"}, True),
        ("POST", {"Origin": "https://shop.test", "Sec-Fetch-Site": "cross-site"}, True),
    ],
)
def test_cross_site_requests_need_a_listed_origin(method: str, headers: dict[str, str], *, may: bool) -> None:
    sent = make_mocked_request(method, "/", headers={"Host": "door.test", **headers})
    if may:
        check_same_site(sent, ["*", "https://shop.test"])
    else:
        with pytest.raises(web.HTTPForbidden):
            check_same_site(sent, ["*", "https://shop.test"])


def test_credentials_are_forwarded_as_an_authorization_header() -> None:
    assert guard().authorization(request(**ADA)) == ADA["Authorization"]
    assert guard().authorization(request(Cookie="session=abc")) == "Bearer abc"
    assert guard().authorization(request(Sec_WebSocket_Protocol="pixelfleet, bearer.abc")) == "Bearer abc"
    assert guard().authorization(request(Cookie="other=abc")) is None


def test_the_repr_does_not_contain_the_link_key() -> None:
    assert KEY not in repr(guard())


def test_a_cookie_with_encoded_line_ends_is_not_forwarded() -> None:
    assert guard().authorization(request(Cookie='session="abc\\015\\012X-Forwarded-For: 10.0.0.1"')) is None
