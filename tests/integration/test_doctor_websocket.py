"""The doctor on websockets behind a real nginx, and behind proxies that break them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

import pixelfleet_cli.doctor.findings.websocket as judged
from tests.integration.conftest import Chain, running_chain
from tests.integration.peers import player
from tests.integration.proxies import KINDS, Kind, proxy
from tests.nginx import UPGRADE, running_nginx
from tests.parts import eventually, free_port
from tests.unit.pixelfleet_cli.doctor.doctors import examine

pytestmark = pytest.mark.integration

PING = 0x89
"""The first byte of a websocket's ping."""


async def test_a_proxy_that_removes_the_upgrade(chain: Chain, tmp_path: Path) -> None:
    async with running_nginx(tmp_path, f"location / {{ proxy_pass {chain.page_url}; }}") as port:
        report = await examine(f"http://127.0.0.1:{port}/", "--join", "--idle", "5")
    assert (report.code, report.names()) == (2, ["upgrade-eaten"])
    assert report.cause("upgrade-eaten").startswith("HTTP 426")
    assert report.summary("offer") == report.summary("idle") == "not checked: websocket failed"


async def test_a_proxy_that_changes_the_connection_header(chain: Chain, tmp_path: Path) -> None:
    headers = (
        'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "keep-alive";'
    )
    async with running_nginx(tmp_path, f"location / {{ {headers} proxy_pass {chain.page_url}; }}") as port:
        report = await examine(f"http://127.0.0.1:{port}/")
    assert report.found("websocket") in (["upgrade-broken"], ["upgrade-eaten"])


async def test_a_server_that_answers_101_without_the_headers(tmp_path: Path) -> None:
    """nginx sends the status as it is configured."""
    async with running_nginx(tmp_path, "location /ws { return 101; } location / { return 204; }") as port:
        report = await examine(f"http://127.0.0.1:{port}/")
    assert report.found("websocket") == ["upgrade-broken"]


async def test_a_path_that_is_not_routed(chain: Chain, tmp_path: Path) -> None:
    locations = f"location /ws {{ return 404; }} location / {{ {UPGRADE} proxy_pass {chain.page_url}; }}"
    async with running_nginx(tmp_path, locations) as port:
        report = await examine(f"http://127.0.0.1:{port}/")
    assert report.names() == ["not-a-websocket"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_documented_proxy_is_without_findings(kind: Kind, chain: Chain, tmp_path: Path) -> None:
    async with proxy(kind, chain.entry.port, tmp_path) as url:
        report = await examine(url)
    assert (report.code, report.names()) == (0, [])


async def test_our_refusal_is_distinguished_from_a_proxys(page_folder: Path, tmp_path: Path) -> None:
    async with running_chain(page_folder, entry={"max_players": 1}) as chain, player(chain.player_url) as viewer:
        await viewer.receive("matchmaker")
        location = f"location / {{ {UPGRADE} proxy_pass {chain.page_url}; }}"
        for locations, finding in (
            (location, "refused-by-pixelfleet"),
            (f"location /ws {{ return 503; }} {location}", "refused-by-proxy"),
        ):
            async with running_nginx(tmp_path, locations) as port:
                report = await examine(f"http://127.0.0.1:{port}/")
            assert report.names() == [finding]
            assert ("no room for another player" in report.cause(finding)) is (finding == "refused-by-pixelfleet")


async def test_the_websocket_has_the_origin_of_the_page(page_folder: Path) -> None:
    port = free_port()
    for origin, found in ((f"http://127.0.0.1:{port}", []), ("https://play.example", ["refused-by-pixelfleet"])):
        async with running_chain(page_folder, entry={"port": port, "origins": [origin]}) as chain:
            assert (await examine(chain.page_url)).names() == found


async def test_a_router_without_a_matchmaker(page_folder: Path) -> None:
    async with running_chain(page_folder, entry={"matchmaker": [f"ws://127.0.0.1:{free_port()}"]}) as chain:
        await eventually(chain.entry.matchmakers.all_silent, "no matchmaker answers")
        report = await examine(chain.page_url)
    assert report.names() == ["refused-by-pixelfleet"]
    assert "no matchmaker can be reached" in report.cause("refused-by-pixelfleet")


@asynccontextmanager
async def speaking(*messages: str, closes: int | None = None) -> AsyncIterator[str]:
    """Run a server that sends these messages to each player and no ping, and may close then; yield its URL."""

    async def handle(socket: ServerConnection) -> None:
        for message in messages:
            await socket.send(message)
        if closes is not None:
            await socket.close(closes)
        await socket.wait_closed()

    async with serve(handle, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        yield f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"


async def test_a_server_that_closes() -> None:
    async with speaking(closes=4105) as url:
        report = await examine(url)
    assert report.found("websocket") == ["websocket-closed"]
    assert report.cause("websocket-closed") == "Closed with 4105 (service unavailable)"


async def test_a_server_that_sends_nothing() -> None:
    async with speaking() as url:
        assert (await examine(url, "--seconds", "1")).found("websocket") == ["websocket-silent"]


async def test_a_server_of_another_protocol() -> None:
    async with speaking("hello") as url:
        assert (await examine(url)).found("websocket") == ["websocket-closed"]


async def test_an_idle_websocket_lives_by_our_keepalives(page_folder: Path, tmp_path: Path) -> None:
    """nginx cuts a websocket after a minute without data; here after a second."""
    async with running_chain(page_folder, entry={"ping_interval": 0.2}) as chain:
        location = f"location / {{ {UPGRADE} proxy_read_timeout 1s; proxy_pass {chain.page_url}; }}"
        async with running_nginx(tmp_path, location) as port:
            report = await examine(f"http://127.0.0.1:{port}/", "--idle", "3")
    assert report.names() == []
    assert report.summary("idle").startswith("lived 3 s, ")


async def test_a_proxy_that_cuts_an_idle_websocket(chain: Chain, tmp_path: Path) -> None:
    location = f"location / {{ {UPGRADE} proxy_read_timeout 1s; proxy_pass {chain.page_url}; }}"
    async with running_nginx(tmp_path, location) as port:
        report = await examine(f"http://127.0.0.1:{port}/", "--idle", "600")
    assert (report.code, report.names()) == (2, ["idle-cut"])
    assert "Closed with 1006" in report.cause("idle-cut")


@asynccontextmanager
async def cutting(port: int, pings: int) -> AsyncIterator[str]:
    """Run a proxy that cuts a connection after this number of pings; yield its URL."""

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)

        async def onward() -> None:
            while data := await reader.read(65536):
                upstream_writer.write(data)
            upstream_writer.close()

        task = asyncio.create_task(onward())
        seen = 0
        while seen < pings and (data := await upstream_reader.read(65536)):
            seen += data[0] == PING
            writer.write(data)
        task.cancel()
        upstream_writer.transport.abort()
        writer.transport.abort()

    async with await asyncio.start_server(forward, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_a_proxy_that_limits_the_length_of_a_connection(page_folder: Path) -> None:
    async with running_chain(page_folder, entry={"ping_interval": 0.2}) as chain, cutting(chain.entry.port, 2) as url:
        report = await examine(url, "--idle", "600")
    assert report.found("idle") == ["connection-cut"]


async def test_a_server_without_keepalives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judged, "KEEPALIVE_SECONDS", 0.2)
    async with speaking('{"type": "config"}') as url:
        report = await examine(url, "--idle", "0.5")
    assert report.found("idle") == ["no-keepalive"]
    assert report.found("websocket") == []
