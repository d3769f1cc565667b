"""Players through the router: which matchmaker they come to, what bounds them, and how they are let finish."""

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
from tests.integration.door import AccessPolicy, backend, open_door
from tests.parts import PATIENCE_SECONDS, eventually
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


async def play(http: aiohttp.ClientSession, door: AccessPolicy, path: str = "/ws", **options: Any) -> Any:
    """Connect and wait until a matchmaker has answered."""
    socket = await http.ws_connect(URL(door.url + path, encoded=True), **options)
    await socket.send_str("hello")
    message = await socket.receive()
    assert message.data == "hello", message
    return socket


async def refused(http: aiohttp.ClientSession, door: AccessPolicy, path: str = "/ws", **options: Any) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await http.ws_connect(door.url + path, **options)
    return error.value.status


async def test_players_come_in_at_three_paths_with_their_query(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder) as door:
        for path in ("/", "/ws", "/matchmaker"):
            await play(http, door, f"{path}?id=a%2Fb&x=1")
        assert door.matchmaker.targets == ["/?id=a%2Fb&x=1"] * 3
        assert await refused(http, door, "/other") == 404


async def test_players_are_spread_over_the_matchmakers(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with backend() as one, backend() as two:
        urls = [f"ws://127.0.0.1:{one.port}", f"ws://127.0.0.1:{two.port}"]
        async with open_door(page_folder, matchmaker=urls) as door:
            for _ in range(6):
                await play(http, door)
            assert (len(one.sockets), len(two.sockets)) == (3, 3)


async def test_a_matchmaker_that_is_not_ready_is_left_out_and_comes_back(
    page_folder: Path, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.upstreams.matchmakers.CHECK_SECONDS", 0.05)
    async with backend() as one, backend() as two:
        urls = [f"ws://127.0.0.1:{one.port}", f"ws://127.0.0.1:{two.port}"]
        async with open_door(page_folder, matchmaker=urls) as door:
            one.ready = 503
            await eventually(lambda: door.router.matchmakers.usable() == 1, "one is left out")
            for _ in range(3):
                await play(http, door)
            assert (len(one.sockets), len(two.sockets)) == (0, 3)
            one.ready = 200
            await eventually(lambda: door.router.matchmakers.usable() == 2, "it is back")
            two.ready = one.ready = 503
            await eventually(lambda: door.router.unready() == "no matchmaker answers", "nobody is left")


async def test_a_player_goes_on_to_another_matchmaker_when_one_is_away(
    page_folder: Path, http: aiohttp.ClientSession
) -> None:
    async with backend() as gone:
        port = gone.port
    async with backend() as there:
        urls = [f"ws://127.0.0.1:{port}", f"ws://127.0.0.1:{there.port}"]
        async with open_door(page_folder, matchmaker=urls) as door:
            for _ in range(4):
                await play(http, door)
            assert len(there.sockets) == 4


@pytest.mark.parametrize(("status", "code"), [(403, 4200), (401, 4200), (503, 4102), (500, 4105)])
async def test_a_matchmakers_refusal_is_told_by_the_close_code(
    page_folder: Path, http: aiohttp.ClientSession, status: int, code: int
) -> None:
    async with open_door(page_folder) as door:
        door.matchmaker.refuse = status
        async with http.ws_connect(f"{door.url}/ws") as socket:
            message = await socket.receive()
            if code == 4200:
                assert "subscribeFailed" in message.data
                message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code == code


async def test_one_address_gets_no_more_than_its_share(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder, connections_per_address=2, trusted_proxies=1) as door:
        sockets = [await play(http, door) for _ in range(2)]
        assert await refused(http, door) == 429
        await play(http, door, headers={"X-Forwarded-For": "6.6.6.6, 10.1.1.1"})
        await sockets[0].close()
        await eventually(lambda: len(door.router.players) == 2, "it has left")
        await play(http, door)


async def test_new_players_and_requests_of_one_address_are_slowed_down(
    page_folder: Path, http: aiohttp.ClientSession
) -> None:
    async with open_door(page_folder, joins_per_minute=4, requests_per_second=1) as door:
        for _ in range(2):
            await play(http, door)
        assert await refused(http, door) == 429
        for _ in range(5):
            async with http.get(door.url) as answer:
                assert answer.status == 200
        async with http.get(door.url) as answer:
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) >= 1


async def test_pages_of_other_origins_may_be_kept_out(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder, origins=["https://play.test"]) as door:
        assert await refused(http, door, headers={"Origin": "https://evil.test"}) == 403
        await play(http, door, headers={"Origin": "https://play.test"})
        assert len(door.matchmaker.sockets) == 1


async def test_players_may_finish_and_then_the_router_ends(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder, drain_seconds=600, spread_seconds=0) as door:
        socket = await play(http, door)
        draining = asyncio.create_task(door.router.drain())
        await eventually(lambda: door.router.players.closing, "it drains")
        async with http.get(f"{door.url}/readyz") as answer:
            assert answer.status == 503
        assert await refused(http, door) == 503
        await socket.send_str("still here")
        assert (await socket.receive()).data == "still here"
        assert not draining.done()
        await socket.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await draining


async def test_players_who_stay_too_long_are_told_to_come_back(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder, drain_seconds=0.1, spread_seconds=0) as door:
        socket = await play(http, door)
        await door.router.drain()
    message = await socket.receive()
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4005)


# -- passwords and links ---------------------------------------------------------------------------------


async def test_a_password_opens_the_page_and_the_stream(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder, auth="basic", users=USERS, proxy_auth=None, rest_token="t" * 20) as door:
        async with http.get(door.url) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert await refused(http, door) == 401
        assert await refused(http, door, headers=basic("ada", "wrong")) == 401
        assert door.reached == 0
        ada, root = basic("ada", "secret"), basic("root", "toor")
        async with http.get(door.url, headers=ada) as answer:
            assert answer.status == 200
        await play(http, door, headers=ada)
        assert door.matchmaker.headers[0]["Authorization"] == ada["Authorization"]
        for path in ("/dashboard/", "/proxy/cam/x", "/api/v1/apps"):
            async with http.get(door.url + path, headers=ada) as answer:
                assert answer.status == 403, path
            async with http.get(door.url + path, headers=root) as answer:
                assert answer.status == 200, path
        assert door.streamer.requests[0][2].get("Authorization") is None


async def test_the_seeds_users_open_the_proxy_alone(page_folder: Path, http: aiohttp.ClientSession) -> None:
    demo = "unreal:$apr1$LRzCWRPd$YreDSrKr65Lnwak5xEP1G/"
    async with open_door(page_folder, proxy_auth="basic", users=demo) as door:
        await play(http, door)
        async with http.get(f"{door.url}/proxy/cam/x") as answer:
            assert answer.status == 401
        async with http.get(f"{door.url}/proxy/cam/x", headers=basic("unreal", "x")) as answer:
            assert answer.status == 200
        async with http.get(f"{door.url}/dashboard/", headers=basic("unreal", "x")) as answer:
            assert answer.status == 403


async def test_guessing_passwords_is_slowed_down(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder, auth="basic", users=USERS, logins_per_minute=6) as door:
        found = [await refused(http, door, headers=basic("ada", f"guess{n}")) for n in range(6)]
        assert found == [401, 401, 401, 429, 429, 429]
        assert await refused(http, door, headers=basic("ada", "secret")) == 429


async def test_a_link_opens_the_door_and_is_handed_on(page_folder: Path, http: aiohttp.ClientSession) -> None:
    async with open_door(page_folder, auth="link", link_key=KEY) as door:
        assert await refused(http, door) == 401
        assert await refused(http, door, f"/ws?link={sign(SignedLink(), 'o' * 40, 60)}") == 401
        assert door.reached == 0
        shown = sign(SignedLink(app="demo", once=True), KEY, 60)
        for _ in range(2):  # the router asks, the matchmaker uses up
            await play(http, door, f"/ws?link={shown}")
        assert door.matchmaker.targets[0] == f"/?link={shown}"
        async with http.get(f"{door.url}/dashboard/?link={shown}") as answer:
            assert answer.status == 403


async def test_a_router_that_is_told_too_little_does_not_start(page_folder: Path) -> None:
    from pixelfleet.service.errors import UsageError

    for settings, why in (
        ({"auth": "basic"}, "users"),
        ({"dashboard_auth": "jwt"}, "jwt-issuer"),
        ({"auth": "link"}, "link-key"),
        ({"auth": "basic", "users": "ada:plain"}, "line 1"),
        ({"auth": "basic", "users_file": page_folder / "none"}, "none"),
    ):
        with pytest.raises(UsageError, match=why):
            async with open_door(page_folder, **settings):
                pass


async def test_players_come_over_tls(page_folder: Path, http: aiohttp.ClientSession) -> None:
    made = make_certificate(page_folder)
    async with open_door(page_folder, tls_cert=made.certificate, tls_key=made.key) as door:
        trusted = await asyncio.to_thread(made.client)
        url = f"https://localhost:{door.router.port}"
        async with http.get(url, ssl=trusted) as answer:
            assert answer.status == 200
        async with http.ws_connect(f"{url}/ws", ssl=trusted) as socket:
            await socket.send_str("hello")
            assert (await socket.receive()).data == "hello"


async def test_the_cookie_of_the_page_is_forwarded_to_the_matchmaker(
    page_folder: Path, http: aiohttp.ClientSession
) -> None:
    async with open_door(page_folder) as door:
        async with http.get(door.url) as answer:
            value = answer.cookies[PLAYER_COOKIE].value
        for sent in (value, value + "x"):
            await play(http, door, headers={"Cookie": f"a=b; {PLAYER_COOKIE}={sent}", PLAYER_HEADER: "forged"})
        await play(http, door)
        assert [headers.get(PLAYER_HEADER) for headers in door.matchmaker.headers] == [value, None, None]
