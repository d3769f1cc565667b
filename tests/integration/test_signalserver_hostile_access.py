"""Access to the signalling server: credentials, origins, session tokens and the REST API."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import jwt
import orjson
import pytest
from aiohttp import ClientSession
from pydantic import SecretStr
from websockets.asyncio.client import connect

import signalserver.app
from pixelfleet.fleet.tokens import SessionToken, sign
from pixelfleet.service.signing import ISSUER
from signalserver.settings import Settings
from tests.fuzz.probes import get, metric, pair, players, refused, running, streamers
from tests.integration.peers import player, streamer
from tests.parts import SIGNALSERVER_ON_FREE_PORTS

pytestmark = pytest.mark.integration

TOKEN: Final = "a-token-for-tests"
KEY: Final = "a-key-for-session-tickets-in-tests"
SERVER_ID: Final = "this-server"


# -- admission ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", ["streamer_port", "sfu_port"])
async def test_streamers_and_sfus_need_the_token_when_one_is_set(port: str) -> None:
    async with running(streamer_token=SecretStr(TOKEN)) as server:
        url = f"ws://127.0.0.1:{getattr(server, port)}/"
        for query in ("", "?token=", "?token=wrong", f"?token={TOKEN}x", "?token=%ff", f"?token=&token={TOKEN}"):
            assert await refused(url + query) == 401
        for value in ("", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN[:-1]}", "Bearer \u00ff"):
            assert await refused(url, additional_headers={"Authorization": value}) == 401
        # A wrong header is not outweighed by a right query.
        assert await refused(f"{url}?token={TOKEN}", additional_headers={"Authorization": "Bearer x"}) == 401
        for query, header in ((f"?token={TOKEN}", None), ("", {"Authorization": f"bearer {TOKEN}"})):
            async with connect(url + query, additional_headers=header, proxy=None) as peer:
                assert orjson.loads(await peer.recv())["type"] == "config"
        role = port.removesuffix("_port")
        assert await metric(server, f'signalserver_upgrades_refused_total{{reason="token",role="{role}"}}') == 14


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://game.example", True),
        ("HTTPS://GAME.EXAMPLE", True),
        (None, True),
        ("https://evil.example", False),
        ("https://game.example.evil.example", False),
        ("http://game.example", False),
        ("https://game.example:8443", False),
        ("null", False),
        ("", False),
    ],
)
async def test_pages_of_other_origins_are_refused(origin: str | None, allowed: bool) -> None:
    async with running(origins=["https://game.example/"]) as server:
        headers = {} if origin is None else {"Origin": origin}
        if allowed:
            async with connect(players(server), additional_headers=headers, proxy=None) as peer:
                assert orjson.loads(await peer.recv())["type"] == "config"
        else:
            assert await refused(players(server), additional_headers=headers) == 403
        async with (
            ClientSession() as http,
            http.get(f"http://127.0.0.1:{server.player_port}/livez", headers=headers) as answer,
        ):
            granted = answer.headers.get("Access-Control-Allow-Origin")
        assert granted == (origin if allowed else None)


def ticket(key: str = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": "session", "aud": SERVER_ID, "endpoint": "cam", "app": "game", "role": "player"}
    return jwt.encode({**claims, "iat": now, "exp": now + 60, **changes}, key, algorithm=algorithm)


# Each is made when it is used. One that was made when the module was imported may have expired by then, and the
# server would refuse it for that reason alone.
FORGED: Final[dict[str, Callable[[], str]]] = {
    "none": lambda: ticket("", "none"),
    "other-key": lambda: ticket(KEY[::-1]),
    "other-algorithm": lambda: ticket(KEY * 2, "HS512"),
    "expired": lambda: ticket(exp=int(time.time()) - 120),
    "no-end": lambda: ticket(exp=None),
    "other-server": lambda: ticket(aud="another-server"),
    "no-server": lambda: ticket(aud=None),
    "other-issuer": lambda: ticket(iss="somebody"),
    "no-session": lambda: ticket(sub=None),
    "no-streamer": lambda: ticket(endpoint=None),
    "wrong-types": lambda: ticket(endpoint=["cam"], app=5),
    "role-of-our-own": lambda: ticket(role="host"),
    "cut": lambda: ticket()[:-3],
    "two": lambda: ticket() + "." + ticket(),
    "empty": lambda: "",
    "rubbish": lambda: "a.b.c",
    "deep-header": lambda: "W1tb" * 2_000 + ".e30.x",
}


@pytest.mark.parametrize("forgery", sorted(FORGED))
async def test_a_forged_or_expired_session_token_is_refused(forgery: str) -> None:
    async with running(session_key=SecretStr(KEY), require_session=True, server_id=SERVER_ID) as server:
        assert await refused(players(server, f"?session={FORGED[forgery]()}")) == 403


async def test_a_session_token_admits_to_its_streamer_only() -> None:
    settings: dict[str, Any] = {"session_key": SecretStr(KEY), "require_session": True, "server_id": SERVER_ID}
    ours = sign(SessionToken("session", SERVER_ID, "cam", "game"), KEY)
    async with running(**settings) as server, streamer(streamers(server), "cam"), streamer(streamers(server), "other"):
        assert await refused(players(server)) == 403
        async with player(players(server, f"?session={ours}")) as viewer:
            await viewer.send("listStreamers")
            assert (await viewer.receive("streamerList"))["ids"] == ["game"]
            await viewer.send("subscribe", streamerId="other")
            await viewer.receive("subscribeFailed")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, ["203.0.113.9"], "127.0.0.1"),
        (1, [], "127.0.0.1"),
        (1, ["203.0.113.9"], "203.0.113.9"),
        (1, ["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        (1, ["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        (2, ["198.51.100.1, 203.0.113.9, 203.0.113.10"], "203.0.113.9"),
        (2, ["203.0.113.9"], "127.0.0.1"),
        (1, ["not an address"], "127.0.0.1"),
        (1, ["203.0.113.9:443"], "203.0.113.9"),
        (1, ["[2001:db8::9]:443"], "2001:db8::9"),
        (1, ["203.0.113.9,"], "127.0.0.1"),
        (1, ["2001:DB8::1"], "2001:db8::1"),
        (1, [", " * 500 + "203.0.113.9"], "203.0.113.9"),
    ],
)
async def test_only_x_forwarded_for_entries_of_trusted_proxies_count(
    proxies: int, forwarded: Sequence[str], seen: str
) -> None:
    async with running(trusted_proxies=proxies) as server:
        headers = [("X-Forwarded-For", each) for each in forwarded]
        async with connect(players(server), additional_headers=headers, proxy=None):
            status, listed = await get(server, "/api/players")
        assert status == 200
        assert [each["remoteAddress"] for each in listed] == [seen]


# -- the REST API ------------------------------------------------------------------------------------

GUARDED: Final = (("DELETE", "/api/players/101"), ("POST", "/api/drain"), ("GET", "/drain"), ("GET", "/drain?wait=1"))
READS: Final = ("/api/config", "/api/streamers", "/api/players", "/api/players/101", "/api/streamers/cam")


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_changes_are_refused_while_no_token_is_set(method: str, path: str) -> None:
    async with running() as server, player(players(server)) as viewer:
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
            status, body = await get(server, path, method=method, headers=headers)
            assert (status, "--rest-token" in body["error"]) == (403, True)
        await viewer.send("ping", time=1)
        await viewer.receive("pong")
        assert not server.draining.begun


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_changes_need_the_right_token(method: str, path: str) -> None:
    async with running(rest_token=SecretStr(TOKEN)) as server, player(players(server)):
        for value in ("", "Bearer", "Bearer wrong", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN} x", "Bearer \u00ff"):
            status, _ = await get(server, path, method=method, headers={"Authorization": value})
            assert status == 401
        status, _ = await get(server, f"{path}{'&' if '?' in path else '?'}token={TOKEN}", method=method)
        assert status == 401
        assert not server.draining.begun
        assert server.players == 1


async def test_reading_needs_the_token_unless_it_is_open() -> None:
    for token, expected in ((None, 403), (SecretStr(TOKEN), 401)):
        async with signalserver.app.running(Settings(**SIGNALSERVER_ON_FREE_PORTS, rest_token=token)) as server:
            for path in READS:
                assert (await get(server, path))[0] == expected
            for path in ("/api/status", "/api/api-definition", "/livez"):
                assert (await get(server, path))[0] == 200


async def test_a_kicked_player_gets_the_reason_and_a_final_close_code() -> None:
    authorization = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        running(rest_token=SecretStr(TOKEN)) as server,
        pair(players(server), streamers(server)) as exchange,
        player(players(server)) as viewer,
    ):
        await viewer.receive("config")
        player_id = (await get(server, "/api/players"))[1][-1]["playerId"]
        status, _ = await get(
            server, f"/api/players/{player_id}?reason=rude%20%C3%A4", method="DELETE", headers=authorization
        )
        assert status == 200
        assert (await viewer.receive("subscribeFailed"))["message"] == "rude ä"
        assert await viewer.closed() == (4201, "rude ä")
        await exchange()
        for gone in (player_id, "999", "%00", "..%2f", "%F0%9F"):
            status, _ = await get(server, f"/api/players/{gone}", method="DELETE", headers=authorization)
            assert status == 404
        odd = (await get(server, "/api/players"))[1][0]["playerId"]
        for path in (f"/api/players/{odd}x", f"/api/streamers/{odd}"):
            assert (await get(server, path, headers=authorization))[0] == 404


@pytest.mark.parametrize("reason", ["%ED%A0%80", "%FF%FE", "x" * 5_000, "%00%1B[31m", ""])
async def test_a_kick_accepts_any_reason(reason: str) -> None:
    async with running(rest_token=SecretStr(TOKEN)) as server, player(players(server)) as viewer:
        await viewer.receive("config")
        # Sent as raw bytes: an HTTP client would normalize the path.
        request = (
            f"DELETE /api/players/101?reason={reason} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", server.player_port)
        writer.write(request.encode())
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        writer.transport.abort()
        assert (await viewer.closed())[0] == 4201


async def test_the_configuration_over_rest_has_no_secrets() -> None:
    secrets = {"rest_token": "secret-one", "streamer_token": "secret-two", "session_key": "secret-three-" * 4}
    options = orjson.dumps({"iceServers": [{"urls": "turn:x", "username": "u", "credential": "secret-four"}]}).decode()
    async with running(peer_options=options, **{name: SecretStr(value) for name, value in secrets.items()}) as server:
        for path in ("/api/config", "/api/status", "/api/players", "/api/api-definition"):
            _, body = await get(server, path, headers={"Authorization": "Bearer secret-one"})
            assert "secret-" not in str(body)
