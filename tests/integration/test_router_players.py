"""Players through the router: choice of the matchmaker, limits, and the drain."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import bcrypt
import pytest
from yarl import URL

from pixelfleet.auth.links import SignedLink, sign
from pixelfleet.auth.person import PLAYER_COOKIE, PLAYER_HEADER
from tests.integration.router_stack import RouterStack, backend, half_reachable_stack, running_stack
from tests.parts import PATIENCE_SECONDS, eventually, free_port
from tests.unit.pixelfleet.net.certificates import make_certificate

pytestmark = pytest.mark.integration

KEY = "k" * 40
USERS = ",".join(
    [
        f"ada:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}",
        f"root:{bcrypt.hashpw(b'toor', bcrypt.gensalt(4)).decode()}:admin",
    ]
)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(name, password)}


async def play(http: aiohttp.ClientSession, stack: RouterStack, path: str = "/ws", **options: Any) -> Any:
    """Connect and wait until a matchmaker has answered."""
    socket = await http.ws_connect(URL(stack.url + path, encoded=True), **options)
    await socket.send_str("hello")
    message = await socket.receive()
    assert message.data == "hello", message
    return socket


async def refused(http: aiohttp.ClientSession, stack: RouterStack, path: str = "/ws", **options: Any) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await http.ws_connect(stack.url + path, **options)
    return error.value.status


async def test_players_connect_at_three_paths_with_their_query(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with running_stack(page_folder) as stack:
        for path in ("/", "/ws", "/matchmaker"):
            await play(http, stack, f"{path}?id=a%2Fb&x=1")
        assert stack.matchmaker.targets == ["/?id=a%2Fb&x=1"] * 3
        assert await refused(http, stack, "/other") == 404


async def test_players_are_spread_over_the_matchmakers(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with backend() as one, backend() as two:
        urls = [f"ws://127.0.0.1:{one.port}", f"ws://127.0.0.1:{two.port}"]
        async with running_stack(page_folder, matchmaker=urls) as stack:
            for _ in range(6):
                await play(http, stack)
            assert (len(one.sockets), len(two.sockets)) == (3, 3)


async def test_a_matchmaker_that_is_not_ready_is_excluded_and_recovers(
    page_folder: Path, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.upstreams.matchmakers.CHECK_SECONDS", 0.05)
    async with backend() as one, backend() as two:
        urls = [f"ws://127.0.0.1:{one.port}", f"ws://127.0.0.1:{two.port}"]
        async with running_stack(page_folder, matchmaker=urls) as stack:
            one.ready = 503
            await eventually(lambda: stack.router.matchmakers.usable() == 1, "one is excluded")
            for _ in range(3):
                await play(http, stack)
            assert (len(one.sockets), len(two.sockets)) == (0, 3)
            one.ready = 200
            await eventually(lambda: stack.router.matchmakers.usable() == 2, "it is used again")
            two.ready = one.ready = 503
            await eventually(lambda: stack.router.unready() == "no matchmaker answers", "none is usable")
            await play(http, stack)  # they answer, so they may still queue a player


async def test_a_player_gets_another_matchmaker_when_one_is_unreachable(
    page_folder: Path, http: aiohttp.ClientSession
) -> None:
    async with half_reachable_stack(page_folder, "ws") as (stack, reachable):
        for _ in range(4):
            await play(http, stack)
        assert len(reachable.sockets) == 4


async def test_a_player_is_refused_before_its_websocket_opens_when_no_matchmaker_answers(
    page_folder: Path, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.upstreams.matchmakers.CHECK_SECONDS", 0.05)
    unused = f"ws://127.0.0.1:{free_port()}"
    async with running_stack(page_folder, matchmaker=[unused]) as stack:
        await eventually(stack.router.matchmakers.all_silent, "it gives no answer")
        assert await refused(http, stack) == 503


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 4206), (401, 4200), (403, 4200), (404, 4206), (503, 4102), (429, 4102), (500, 4105)],
)
async def test_a_matchmakers_refusal_becomes_a_close_code(
    page_folder: Path, http: aiohttp.ClientSession, status: int, code: int
) -> None:
    async with running_stack(page_folder) as stack:
        stack.matchmaker.refuse = status
        async with http.ws_connect(f"{stack.url}/ws") as socket:
            message = await socket.receive()
            if code in (4200, 4206):
                assert "subscribeFailed" in message.data
                message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code == code
        assert (stack.router.players._full_until > 0) is (status == 503)
        assert status >= 500 or stack.router.matchmakers.usable() == 1


async def test_a_player_is_refused_before_its_websocket_opens_after_a_refusal_of_a_full_matchmaker(
    page_folder: Path, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.players.FULL_SECONDS", 600.0)
    async with running_stack(page_folder) as stack:
        stack.matchmaker.refuse = 503
        async with http.ws_connect(f"{stack.url}/ws") as socket:
            await socket.receive()
        assert await refused(http, stack) == 503
        stack.router.players._full_until = 0.0
        stack.matchmaker.refuse = 0
        await play(http, stack)


async def test_connections_of_one_address_are_limited(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with running_stack(page_folder, connections_per_address=2, trusted_proxies=1) as stack:
        sockets = [await play(http, stack) for _ in range(2)]
        assert await refused(http, stack) == 429
        await play(http, stack, headers={"X-Forwarded-For": "6.6.6.6, 10.1.1.1"})
        await sockets[0].close()
        await eventually(lambda: len(stack.router.players) == 2, "it has left")
        await play(http, stack)


async def test_new_players_and_requests_of_one_address_are_rate_limited(
    page_folder: Path, http: aiohttp.ClientSession
) -> None:
    async with running_stack(page_folder, joins_per_minute=4, requests_per_second=1) as stack:
        for _ in range(2):
            await play(http, stack)
        assert await refused(http, stack) == 429
        for _ in range(5):
            async with http.get(stack.url) as answer:
                assert answer.status == 200
        async with http.get(stack.url) as answer:
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) >= 1


async def test_pages_of_other_origins_can_be_refused(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with running_stack(page_folder, origins=["https://play.test"]) as stack:
        assert await refused(http, stack, headers={"Origin": "https://evil.test"}) == 403
        await play(http, stack, headers={"Origin": "https://play.test"})
        assert len(stack.matchmaker.sockets) == 1


async def test_a_drain_lets_players_finish_and_then_ends(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with running_stack(page_folder, drain_seconds=600, spread_seconds=0) as stack:
        socket = await play(http, stack)
        draining = asyncio.create_task(stack.router.drain())
        await eventually(lambda: stack.router.players.closing, "it drains")
        async with http.get(f"{stack.url}/readyz") as answer:
            assert answer.status == 503
        assert await refused(http, stack) == 503
        await socket.send_str("still here")
        assert (await socket.receive()).data == "still here"
        assert not draining.done()
        await socket.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await draining


async def test_remaining_players_are_closed_with_a_reconnect_code(
    page_folder: Path, http: aiohttp.ClientSession
) -> None:
    async with running_stack(page_folder, drain_seconds=0.1, spread_seconds=0) as stack:
        socket = await play(http, stack)
        await stack.router.drain()
    message = await socket.receive()
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4005)


# -- passwords and links ---------------------------------------------------------------------------------


async def test_a_password_admits_to_the_page_and_the_stream(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with running_stack(page_folder, auth="basic", users=USERS, proxy_auth=None, rest_token="t" * 20) as stack:
        async with http.get(stack.url) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert await refused(http, stack) == 401
        assert await refused(http, stack, headers=basic("ada", "wrong")) == 401
        assert stack.reached == 0
        ada, root = basic("ada", "secret"), basic("root", "toor")
        async with http.get(stack.url, headers=ada) as answer:
            assert answer.status == 200
        await play(http, stack, headers=ada)
        assert stack.matchmaker.headers[0]["Authorization"] == ada["Authorization"]
        for path in ("/dashboard/", "/proxy/cam/x", "/api/v1/apps"):
            async with http.get(stack.url + path, headers=ada) as answer:
                assert answer.status == 403, path
            async with http.get(stack.url + path, headers=root) as answer:
                assert answer.status == 200, path
        assert stack.streamer.requests[0][2].get("Authorization") is None


async def test_proxy_auth_users_are_admitted_to_the_proxy_only(page_folder: Path, http: aiohttp.ClientSession) -> None:
    demo = "unreal:$apr1$LRzCWRPd$YreDSrKr65Lnwak5xEP1G/"
    async with running_stack(page_folder, proxy_auth="basic", users=demo) as stack:
        await play(http, stack)
        async with http.get(f"{stack.url}/proxy/cam/x") as answer:
            assert answer.status == 401
        async with http.get(f"{stack.url}/proxy/cam/x", headers=basic("unreal", "x")) as answer:
            assert answer.status == 200
        async with http.get(f"{stack.url}/dashboard/", headers=basic("unreal", "x")) as answer:
            assert answer.status == 403


async def test_guesses_of_passwords_are_rate_limited(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with running_stack(page_folder, auth="basic", users=USERS, logins_per_minute=6) as stack:
        found = [await refused(http, stack, headers=basic("ada", f"guess{n}")) for n in range(6)]
        assert found == [401, 401, 401, 429, 429, 429]
        assert await refused(http, stack, headers=basic("ada", "secret")) == 429


async def test_a_link_admits_a_player_and_is_forwarded(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with running_stack(page_folder, auth="link", link_key=KEY) as stack:
        assert await refused(http, stack) == 401
        assert await refused(http, stack, f"/ws?link={sign(SignedLink(), 'o' * 40, 60)}") == 401
        assert stack.reached == 0
        shown = sign(SignedLink(app="demo", once=True), KEY, 60)
        for _ in range(2):  # the router verifies the link, the matchmaker redeems it
            await play(http, stack, f"/ws?link={shown}")
        assert stack.matchmaker.targets[0] == f"/?link={shown}"
        async with http.get(f"{stack.url}/dashboard/?link={shown}") as answer:
            assert answer.status == 403


async def test_a_router_with_incomplete_settings_does_not_start(page_folder: Path) -> None:
    from pixelfleet.service.errors import UsageError

    for settings, why in (
        ({"auth": "basic"}, "users"),
        ({"dashboard_auth": "jwt"}, "jwt-issuer"),
        ({"auth": "link"}, "link-key"),
        ({"auth": "basic", "users": "ada:plain"}, "line 1"),
        ({"auth": "basic", "users_file": page_folder / "none"}, "none"),
    ):
        with pytest.raises(UsageError, match=why):
            async with running_stack(page_folder, **settings):
                pass


async def test_players_connect_over_tls(page_folder: Path, http: aiohttp.ClientSession) -> None:
    made = make_certificate(page_folder)
    async with running_stack(page_folder, tls_cert=made.certificate, tls_key=made.key) as stack:
        trusted = await asyncio.to_thread(made.client)
        url = f"https://localhost:{stack.router.port}"
        async with http.get(url, ssl=trusted) as answer:
            assert answer.status == 200
        async with http.ws_connect(f"{url}/ws", ssl=trusted) as socket:
            await socket.send_str("hello")
            assert (await socket.receive()).data == "hello"


async def test_the_cookie_of_the_page_is_forwarded_to_the_matchmaker(
    page_folder: Path, http: aiohttp.ClientSession
) -> None:
    async with running_stack(page_folder) as stack:
        async with http.get(stack.url) as answer:
            value = answer.cookies[PLAYER_COOKIE].value
        for sent in (value, value + "x"):
            await play(http, stack, headers={"Cookie": f"a=b; {PLAYER_COOKIE}={sent}", PLAYER_HEADER: "forged"})
        await play(http, stack)
        assert [headers.get(PLAYER_HEADER) for headers in stack.matchmaker.headers] == [value, None, None]
