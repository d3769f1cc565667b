"""The router behind each reverse proxy of the guide, with the configuration that the guide shows."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import ifaddr
import pytest
from structlog.testing import capture_logs

from pixelfleet.net.refusal import REFUSAL_HEADER
from tests.integration.conftest import Chain
from tests.integration.peers import negotiate, player, streamer
from tests.integration.proxies import KINDS, PAGE, Kind, documented, proxy
from tests.integration.router_stack import running_stack
from tests.parts import PATIENCE_SECONDS, free_port

pytestmark = pytest.mark.integration

NGINX, HAPROXY, _, _, ENVOY = KINDS
FORGED = {"X-Forwarded-For": "203.0.113.9"}
BEHIND_ONE: dict[str, Any] = {"trusted_proxies": 1, "dashboard_auth": "open"}

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_SECONDS)) as session:
        yield session


def own_addresses() -> set[str]:
    """Return the IPv4 addresses of this machine."""
    return {str(address.ip) for adapter in ifaddr.get_adapters() for address in adapter.ips if address.is_IPv4}


def test_each_block_of_the_guide_is_run() -> None:
    languages = {line.removeprefix("```") for line in PAGE.read_text().splitlines() if line.startswith("```")}
    assert languages == {"", "sh", *(kind.name for kind in KINDS)}
    assert {kind.name: len(documented(kind.name)) for kind in KINDS} == {kind.name: len(kind.files) for kind in KINDS}


@each_kind
@pytest.mark.parametrize("prefix", ["", "/play"])
async def test_page_files_and_a_match_pass(
    kind: Kind, prefix: str, chain: Chain, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with proxy(kind, chain.entry.port, tmp_path) as url:
        async with http.get(f"{url}{prefix}/") as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
            assert "<title>page</title>" in await answer.text()
        async with http.get(f"{url}{prefix}/assets/main-abc123.js") as answer:
            assert (answer.status, await answer.text()) == (200, "export {}")
        public = url.replace("http://", "ws://")
        async with streamer(chain.streamer_url, "cam") as source, player(f"{public}{prefix}/ws") as viewer:
            assert (await viewer.receive("matchmaker"))["queued"] is True
            assert (await viewer.receive("matchmaker"))["matched"] is True
            await negotiate(viewer, source, "default")


@each_kind
async def test_a_prefix_that_is_kept_is_the_routers(
    kind: Kind, page_folder: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with running_stack(page_folder, path_prefix="/game", **BEHIND_ONE) as stack:
        async with proxy(kind, stack.router.port, tmp_path) as url:
            async with http.get(f"{url}/game?id=a") as answer:
                assert (answer.status, str(answer.url)) == (200, f"{url}/game/?id=a")
            async with http.ws_connect(f"{url}/game/ws?id=a", headers=FORGED) as socket:
                await socket.send_str("hello")
                assert (await socket.receive()).data == "hello"
        assert stack.matchmaker.targets == ["/?id=a"]
        # Envoy replaces a client on the loopback interface by its own address.
        addresses = {"127.0.0.1"} if kind is not ENVOY else {"127.0.0.1", *own_addresses()}
        assert stack.matchmaker.headers[0]["X-Forwarded-For"] in addresses


@each_kind
async def test_no_redirect_leaves_a_prefix_that_is_stripped(
    kind: Kind, page_folder: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with (
        running_stack(page_folder, **BEHIND_ONE) as stack,
        proxy(kind, stack.router.port, tmp_path) as url,
    ):
        async with http.get(f"{url}/play/dashboard") as answer:
            assert (answer.status, str(answer.url)) == (200, f"{url}/play/dashboard/")
        async with http.get(f"{url}/play") as answer:
            assert (answer.status, str(answer.url).rstrip("?")) == (200, f"{url}/play/")


@each_kind
async def test_an_error_of_the_proxy_differs_from_one_of_the_router(
    kind: Kind, page_folder: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with (
        running_stack(page_folder, max_players=1, joins_per_minute=0) as stack,
        proxy(kind, stack.router.port, tmp_path) as url,
        http.ws_connect(f"{url}/ws"),
    ):
        async with http.get(f"{url}/ws") as answer:
            assert (answer.status, answer.headers[REFUSAL_HEADER]) == (503, "full")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{url}/ws")
        assert refused.value.headers is not None
        assert (refused.value.status, refused.value.headers[REFUSAL_HEADER]) == (503, "full")
    stopped = tmp_path / "stopped"
    stopped.mkdir()
    async with proxy(kind, free_port(), stopped) as url, http.get(f"{url}/ws") as answer:
        assert answer.status in (502, 503, 504)
        assert REFUSAL_HEADER not in answer.headers


@pytest.mark.parametrize(
    ("removed", "status"),
    [
        (["proxy_set_header Upgrade", "proxy_set_header Connection"], 426),
        (["proxy_set_header Connection"], 400),
        (["proxy_http_version 1.1"], 400),
    ],
    ids=["no upgrade", "no connection", "HTTP/1.0"],
)
async def test_the_router_warns_once_of_a_proxy_without_upgrades(
    removed: list[str], status: int, page_folder: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    def without(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if not any(each in line for each in removed))

    async with (
        running_stack(page_folder) as stack,
        proxy(NGINX, stack.router.port, tmp_path, without) as url,
    ):
        with capture_logs() as logs:
            for path in ("/ws", "/matchmaker", "/"):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await http.ws_connect(url + path)
                assert refused.value.headers is not None
                assert (refused.value.status, refused.value.headers[REFUSAL_HEADER]) == (status, "upgrade-required")
        (warning,) = [entry for entry in logs if entry["log_level"] == "warning"]
        assert (warning["proxy"], warning["path"]) == ("127.0.0.1", "/ws")
        assert "docs/how-to/reverse-proxies.md" in warning["next_step"]
        async with http.get(f"{url}/ws") as answer:  # the question of a page
            assert (answer.status, answer.headers[REFUSAL_HEADER]) == (426, "upgrade-required")


async def test_envoy_without_the_upgrade_refuses_itself(
    page_folder: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    def without(text: str) -> str:
        return text.replace("upgrade_configs:", "").replace("- upgrade_type: websocket", "")

    async with (
        running_stack(page_folder) as stack,
        proxy(ENVOY, stack.router.port, tmp_path, without) as url,
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{url}/ws")
        assert refused.value.status == 403
        assert refused.value.headers is not None
        assert REFUSAL_HEADER not in refused.value.headers


@pytest.mark.parametrize("kind", [NGINX, HAPROXY], ids=lambda kind: kind.name)
async def test_the_documented_timeout_is_the_one_that_ends_an_idle_websocket(
    kind: Kind, page_folder: Path, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with (
        running_stack(page_folder, ping_interval=PATIENCE_SECONDS) as stack,
        proxy(kind, stack.router.port, tmp_path, lambda text: text.replace("1h", "1s")) as url,
        http.ws_connect(f"{url}/ws") as socket,
    ):
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = await socket.receive()
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)
        assert socket.close_code == 1006
