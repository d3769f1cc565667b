"""The demo on addresses other than the default."""

import socket
from urllib.parse import urlsplit

import aiohttp
import pytest

pytest.importorskip("aiortc", reason="the demo needs the extra `streamer`")

import pixelfleet_cli.demo.app as demo
from pixelfleet_cli.demo.settings import Settings

pytestmark = pytest.mark.integration


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 address of its own")
@pytest.mark.parametrize("host", ["::", "::1"])
async def test_it_runs_on_an_ipv6_address(host: str) -> None:
    async with demo.running(Settings(host=host, port=0, streamer_port=0, streamers=0)) as running:
        parts = urlsplit(running.url)
        assert parts.port == running.router.port
        async with aiohttp.ClientSession() as http, http.get(running.url + "livez") as answer:
            assert answer.status == 200
        async with aiohttp.ClientSession() as http, http.ws_connect(running.url + "ws") as socket_:
            assert (await socket_.receive_json())["type"] == "matchmaker"
