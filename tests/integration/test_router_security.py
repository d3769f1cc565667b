"""Requests that must never pass the router: each is refused with a clear status and reaches no backend."""

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import orjson
import pytest
from aiohttp import web

from pixelfleet.net.ports import plain_port
from tests.integration.router_stack import RouterStack, assert_not_found, request, running_stack, send_raw
from tests.unit.pixelfleet.auth import keys
from tests.unit.router.proxy.test_rules import EVIL

pytestmark = pytest.mark.integration

CAM = "/proxy/pod-1%2Fcam"
TOKEN = "operators-token-of-the-matchmaker"


@pytest.fixture
async def stack(page_folder: Path) -> AsyncIterator[RouterStack]:
    async with running_stack(
        page_folder,
        handshake_seconds=3.0,
        proxy_body_bytes=10_000,
        rest_token=TOKEN,
        dashboard_auth="open",
        logins_per_minute=0,
    ) as opened:
        yield opened


@pytest.mark.parametrize("target", [each for each in EVIL if each.startswith("/proxy")])
async def test_a_path_that_could_reach_another_resource_is_refused(stack: RouterStack, target: str) -> None:
    await assert_not_found(stack, target)


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{streamer}/remote/x",
        "http://router.test/proxy/pod-1%2Fcam/x",
        "//127.0.0.1:{streamer}/x",
        "/proxy/127.0.0.1:{streamer}/x",
        "/proxy/http:%2F%2F127.0.0.1:{streamer}/x",
        "/proxy/x@127.0.0.1:{streamer}/x",
        "/proxy/pod-1%2Fcam@127.0.0.1:{streamer}/x",
        "/proxy/localhost:{streamer}/x",
        "/proxy/[::1]:{streamer}/x",
        "/proxy/2130706433:{streamer}/x",
        "/proxy/0x7f.1:{streamer}/x",
    ],
)
async def test_an_address_in_the_url_is_never_dialled(stack: RouterStack, target: str) -> None:
    await assert_not_found(stack, target.format(streamer=stack.streamer.port))


async def test_connect_requests_are_refused(stack: RouterStack) -> None:
    status, _ = await send_raw(stack, request(f"127.0.0.1:{stack.streamer.port}", method="CONNECT"))
    assert 400 <= status < 500 or status == 0
    assert stack.reached == 0


CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"
SMUGGLED = b"GET /proxy/pod-1%2Fcam/admin HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Length: 5", "Transfer-Encoding: chunked"], CHUNKED + SMUGGLED),
        (["Transfer-Encoding: chunked", "Content-Length: 5"], CHUNKED + SMUGGLED),
        (["Content-Length: 5", "Content-Length: 60"], b"hello" + SMUGGLED),
        (["Content-Length: +5"], b"hello" + SMUGGLED),
        (["Content-Length: 0x5"], b"hello" + SMUGGLED),
        (["Content-Length: 5, 5"], b"hello" + SMUGGLED),
        (["Content-Length: -1"], b"hello" + SMUGGLED),
        (["Transfer-Encoding : chunked"], CHUNKED + SMUGGLED),
        (["Transfer-Encoding: xchunked"], CHUNKED + SMUGGLED),
        (["Transfer-Encoding: chunked, identity"], CHUNKED + SMUGGLED),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], CHUNKED + SMUGGLED),
        (["Transfer-Encoding:\x0bchunked"], CHUNKED + SMUGGLED),
        (["X: y\nContent-Length: 5"], b"hello" + SMUGGLED),
        ([" Content-Length: 5"], b"hello" + SMUGGLED),
        (["X: a\x00b"], b""),
        (["X: a\rContent-Length: 5"], b""),
        (["Transfer-Encoding: chunked"], b"5;\nhello\r\n0\r\n\r\n" + SMUGGLED),
        (["Transfer-Encoding: chunked"], b"-5\r\nhello\r\n0\r\n\r\n" + SMUGGLED),
        (["Transfer-Encoding: chunked"], b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n" + SMUGGLED),
    ],
)
async def test_ambiguously_framed_requests_are_refused(stack: RouterStack, headers: list[str], body: bytes) -> None:
    data = request(f"{CAM}/x", *headers, method="POST", body=body).replace(
        b"Connection: close", b"Connection: keep-alive"
    )
    status, answer = await send_raw(stack, data)
    assert status == 400, answer
    assert answer.count(b"HTTP/1.") == 1
    assert b"admin" not in answer
    assert stack.reached == 0


async def test_an_oversized_body_is_refused_with_and_without_a_declared_size(stack: RouterStack) -> None:
    status, _ = await send_raw(stack, request(f"{CAM}/x", "Content-Length: 10001", method="POST", body=b"x" * 10001))
    assert status == 413
    chunks = b"".join(b"1000\r\n" + b"x" * 0x1000 + b"\r\n" for _ in range(4)) + b"0\r\n\r\n"
    status, _ = await send_raw(stack, request(f"{CAM}/x", "Transfer-Encoding: chunked", method="POST", body=chunks))
    assert status == 413
    assert stack.reached == 0


@pytest.mark.parametrize("size", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
async def test_an_incomplete_body_times_out(stack: RouterStack, size: str) -> None:
    status, _ = await send_raw(stack, request(f"{CAM}/x", size, method="POST", body=b"5\r\nhello"))
    assert status == 408
    assert stack.reached == 0


async def test_an_incomplete_head_times_out(stack: RouterStack) -> None:
    status, answer = await send_raw(stack, b"GET /proxy/pod-1%2Fcam/x HTTP/1.1\r\nHost:")
    assert (status, answer) == (0, b"")
    assert stack.reached == 0


@pytest.mark.parametrize(
    "data",
    [
        request("/proxy/cam/" + "a" * 20_000),
        request(f"{CAM}/x", "X: " + "a" * 20_000),
        request(f"{CAM}/x", *[f"X-{number}: y" for number in range(20_000)]),
    ],
)
async def test_an_oversized_head_is_refused(stack: RouterStack, data: bytes) -> None:
    status, _ = await send_raw(stack, data)
    assert status in (0, 400, 414, 431)
    assert stack.reached == 0


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "OPTIONS", "GARBAGE"])
async def test_other_methods_are_refused(stack: RouterStack, method: str) -> None:
    status, _ = await send_raw(stack, request(f"{CAM}/x", method=method))
    assert status in (400, 404, 405)
    assert stack.reached == 0


# -- actions of the dashboard, and other changes ---------------------------------------------------------

DRAIN = "/dashboard/api/v1/streamers/pod-1%2Fcam/drain"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["Origin: https://evil.test"],
        ["Origin: null", "X-Pixelfleet-Action: 1"],
        ["Origin: https://evil.test", "X-Pixelfleet-Action: 1"],
        ["Origin: http://router.test:81", "X-Pixelfleet-Action: 1"],
        ["Origin: http://router.test.evil.test", "X-Pixelfleet-Action: 1"],
        ["Origin: http://router.test@evil.test", "X-Pixelfleet-Action: 1"],
        ["Sec-Fetch-Site: cross-site", "X-Pixelfleet-Action: 1"],
        ["Sec-Fetch-Site: same-site", "X-Pixelfleet-Action: 1"],
        ["Origin: http://router.test"],
        ["Origin: http://router.test", "X-Pixelfleet-Action: 0"],
        ["Sec-Fetch-Site: same-origin"],
    ],
)
async def test_another_sites_page_cannot_perform_actions_of_the_dashboard(
    stack: RouterStack, headers: list[str]
) -> None:
    for method, path in (("POST", DRAIN), ("DELETE", "/dashboard/api/v1/sessions/abc")):
        status, answer = await send_raw(stack, request(path, *headers, "Content-Length: 0", method=method))
        assert status == 403, answer
    assert stack.reached == 0


async def test_the_dashboards_own_page_can_perform_actions(stack: RouterStack) -> None:
    own = ["Origin: http://router.test", "X-Pixelfleet-Action: 1", "Content-Length: 0"]
    status, _ = await send_raw(stack, request(DRAIN, *own, method="POST"))
    assert status == 200
    method, target, received, _ = stack.matchmaker.requests[0]
    assert (method, target) == ("POST", "/api/v1/streamers/pod-1%2Fcam/drain")
    assert received["Authorization"] == f"Bearer {TOKEN}"


async def test_a_preflight_of_another_site_does_not_allow_the_action_header(stack: RouterStack) -> None:
    preflight = ["Origin: https://evil.test", "Access-Control-Request-Method: POST"]
    asks = "Access-Control-Request-Headers: X-Pixelfleet-Action"
    _, answer = await send_raw(stack, request(DRAIN, *preflight, asks, method="OPTIONS"))
    assert b"X-Pixelfleet-Action" not in answer
    assert b"Access-Control-Allow-" not in answer
    _, answer = await send_raw(stack, request("/dashboard/history", "Origin: https://evil.test"))
    assert b"Access-Control-Allow-" not in answer
    assert stack.reached == 0


async def test_another_sites_page_cannot_change_anything_at_an_open_proxy(stack: RouterStack) -> None:
    for headers in (["Origin: https://evil.test"], ["Sec-Fetch-Site: cross-site"], ["Origin: null"]):
        status, _ = await send_raw(stack, request(f"{CAM}/x", *headers, "Content-Length: 0", method="POST"))
        assert status == 403
    assert stack.reached == 0


@pytest.mark.parametrize("path", ["/dashboard/../api/v1/apps", "/dashboard/api/../../x", "/dashboard/api/v1/%2e%2e/x"])
async def test_the_dashboards_proxy_reaches_the_api_only(stack: RouterStack, path: str) -> None:
    status, _ = await send_raw(stack, request(path))
    assert status in (400, 404)
    assert stack.reached == 0


@pytest.mark.parametrize("path", ["/dashboard/", "/dashboard/api/v1/apps", "/dashboard/history", f"{CAM}/x"])
async def test_interfaces_without_credentials_are_closed(page_folder: Path, path: str) -> None:
    async with running_stack(page_folder, proxy_auth=None, rest_token=TOKEN) as stack:
        status, _ = await send_raw(stack, request(path))
        assert status == 403
        assert stack.reached == 0


# -- tokens ----------------------------------------------------------------------------------------------


def part(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def confused(issuer: str) -> str:
    """Return an HS256 token whose key is the issuer's public key."""
    body = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(keys.claims(iss=issuer))}"
    mac = hmac.digest(keys.public_pem(), body.encode(), hashlib.sha256)
    return f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


class Issuer:
    port = 0
    asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        if request.path == "/.well-known/openid-configuration":
            return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})
        return web.Response(body=keys.jwks("one"), content_type="application/json")

    def token(self, **claims: Any) -> str:
        return keys.token(keys.claims(iss=self.url, **claims))


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    made = Issuer()
    app = web.Application()
    app.router.add_get("/{any:.*}", made.answer)
    async with plain_port(app, host="127.0.0.1", port=0, option="--port") as made.port:
        yield made


@pytest.fixture
async def jwt_stack(page_folder: Path, issuer: Issuer) -> AsyncIterator[RouterStack]:
    async with running_stack(
        page_folder,
        auth="jwt",
        jwt_issuer=issuer.url,
        jwt_audience=[keys.AUDIENCE],
        jwt_cookie="session",
        jwt_leeway=5,
        proxy_auth=None,
        rest_token=TOKEN,
        logins_per_minute=0,
    ) as opened:
        yield opened


@pytest.mark.parametrize(
    "wrong",
    [
        "none",
        "no token",
        "wrong key",
        "expired",
        "not yet",
        "audience",
        "issuer",
        "confusion",
        "hs256",
        "kid",
        "garbage",
    ],
)
async def test_an_invalid_token_is_refused_everywhere(jwt_stack: RouterStack, issuer: Issuer, wrong: str) -> None:
    admin = {"roles": ["admin"]}
    shown = {
        "none": f"{part({'alg': 'none'})}.{part(keys.claims(iss=issuer.url, **admin))}.",
        "no token": "",
        "wrong key": keys.token(keys.claims(iss=issuer.url, **admin), key=keys.private_key("stranger")),
        "expired": issuer.token(exp=int(time.time()) - 60, **admin),
        "not yet": issuer.token(nbf=int(time.time()) + 86_400, **admin),
        "audience": issuer.token(aud="somebody-else", **admin),
        "issuer": keys.token(keys.claims(iss="http://other.test", **admin)),
        "confusion": confused(issuer.url),
        "hs256": jwt.encode(keys.claims(iss=issuer.url, **admin), "x" * 32, algorithm="HS256"),
        "kid": keys.token(keys.claims(iss=issuer.url, **admin), key=keys.private_key("one"), kid="../../etc/passwd"),
        "garbage": "a.b.c",
    }[wrong]
    # An unknown key may be a new one while the issuer's keys cannot be fetched again yet.
    statuses = (401, 503) if wrong == "kid" else (401,)
    for path in (f"{CAM}/x", "/api/v1/apps", "/dashboard/", "/dashboard/api/v1/apps", "/dashboard/history", "/ws"):
        for how in (f"Authorization: Bearer {shown}", f"Cookie: session={shown}", f"Authorization: bearer  {shown}"):
            status, answer = await send_raw(jwt_stack, request(path, how))
            assert status in statuses, (path, answer)
            assert status == 503 or b"WWW-Authenticate: Bearer" in answer
            assert not shown or shown.encode() not in answer
    upgrade = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ=="]
    for path in ("/", "/ws", "/matchmaker"):
        for how in (f"Authorization: Bearer {shown}", f"Sec-WebSocket-Protocol: pixelfleet, bearer.{shown}"):
            data = request(path, *upgrade, how).replace(b"Connection: close", b"Connection: Upgrade")
            status, answer = await send_raw(jwt_stack, data)
            assert status in statuses, (path, answer)
    assert jwt_stack.reached == 0


async def test_a_token_admits_to_what_its_roles_allow(jwt_stack: RouterStack, issuer: Issuer) -> None:
    for roles, status in (([], 403), (["player"], 403), (["admin"], 200)):
        how = f"Authorization: Bearer {issuer.token(roles=roles)}"
        for path in (f"{CAM}/x", "/api/v1/apps", "/dashboard/", "/dashboard/api/v1/apps"):
            found, answer = await send_raw(jwt_stack, request(path, how))
            assert found == status, (path, answer)
    assert (len(jwt_stack.streamer.requests), len(jwt_stack.matchmaker.requests)) == (1, 2)
    assert all(received["Authorization"] == f"Bearer {TOKEN}" for _, _, received, _ in jwt_stack.matchmaker.requests)
    assert issuer.asked == 2


@pytest.mark.parametrize("how", ["header", "cookie", "subprotocol"])
async def test_a_player_is_admitted_with_a_token_that_is_forwarded_to_the_matchmaker(
    jwt_stack: RouterStack, issuer: Issuer, how: str
) -> None:
    shown = issuer.token()
    headers = {"header": {"Authorization": f"Bearer {shown}"}, "cookie": {"Cookie": f"session={shown}"}}.get(how, {})
    protocols = ["pixelfleet", f"bearer.{shown}"] if how == "subprotocol" else []
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Pixelfleet-Subject": "root"}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{jwt_stack.url}/ws", headers={**headers, **forged}, protocols=protocols) as socket,
    ):
        assert socket.protocol == ("pixelfleet" if protocols else None)
        await socket.send_str("hello")
        assert (await socket.receive()).data == "hello"
    received = jwt_stack.matchmaker.headers[0]
    assert received["Authorization"] == f"Bearer {shown}"
    assert received["X-Forwarded-For"] == "127.0.0.1"
    assert "X-Pixelfleet-Subject" not in received
    assert "Cookie" not in received


async def test_another_sites_page_cannot_use_the_session_cookie(jwt_stack: RouterStack, issuer: Issuer) -> None:
    headers = {"Cookie": f"session={issuer.token()}", "Origin": "https://evil.test"}
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(f"{jwt_stack.url}/ws", headers=headers)
        assert error.value.status == 403
        async with http.ws_connect(f"{jwt_stack.url}/ws", headers={**headers, "Origin": jwt_stack.url}) as socket:
            await socket.send_str("hello")
            await socket.receive()
    assert len(jwt_stack.matchmaker.sockets) == 1


async def test_no_secret_is_logged(jwt_stack: RouterStack, issuer: Issuer, capsys: pytest.CaptureFixture[str]) -> None:
    wrong, right = issuer.token(aud="x"), issuer.token(roles=["admin"])
    for shown in (wrong, right):
        for path in ("/api/v1/apps", f"{CAM}/x", f"/ws?link={shown}"):
            await send_raw(jwt_stack, request(path, f"Authorization: Bearer {shown}"))
    output = "".join(capsys.readouterr())
    assert "authentication failed" in output
    for secret in (wrong, right, TOKEN):
        assert secret not in output
        assert secret.rpartition(".")[2] not in output
