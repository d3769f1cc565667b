"""The demo on addresses other than the default."""

import socket
from urllib.parse import urlsplit

import aiohttp
import pytest

pytest.importorskip("aiortc", reason="the demo needs the extra `streamer`")

import pixelfleet_cli.demo.app as demo
from pixelfleet_cli.demo.settings import Settings
from tests.unit.pixelfleet_cli.doctor.doctors import examine

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


async def test_the_dashboard_accepts_only_loopback_names() -> None:
    async with (
        demo.running(Settings(host="127.0.0.1", port=0, streamer_port=0, streamers=0)) as running,
        aiohttp.ClientSession() as http,
    ):
        for path in ("dashboard/", "dashboard/history", "dashboard/api/v1/sessions"):
            url = running.url.replace("localhost", "127.0.0.1") + path
            for name, status in (("localhost", 200), ("127.0.0.1", 200), ("rebound.example", 403)):
                host = f"{name}:{running.router.port}"
                async with http.get(url, headers={"Host": host}) as answer:
                    assert (path, name, answer.status) == (path, name, status)


async def test_the_shown_token_opens_the_rest_api_through_the_router() -> None:
    async with (
        demo.running(Settings(host="127.0.0.1", port=0, streamer_port=0, streamers=0)) as running,
        aiohttp.ClientSession() as http,
    ):
        for headers, status in (({}, 401), ({"Authorization": f"Bearer {running.token}"}, 200)):
            async with http.get(running.url + "api/v1/streamers", headers=headers) as answer:
                assert answer.status == status


async def test_on_the_network_the_dashboard_needs_the_shown_token() -> None:
    async with (
        demo.running(Settings(host="0.0.0.0", port=0, streamer_port=0, streamers=0)) as running,
        aiohttp.ClientSession() as http,
    ):
        wrong = {"Authorization": aiohttp.encode_basic_auth("operator", "wrong")}
        right = {"Authorization": aiohttp.encode_basic_auth(running.dashboard_user, running.token)}
        for headers, status in (({}, 401), (wrong, 401), (right, 200)):
            for path in ("dashboard/", "dashboard/api/v1/sessions"):
                async with http.get(running.url + path, headers=headers) as answer:
                    assert (path, answer.status) == (path, status)


async def test_the_doctor_finds_no_fault_in_the_demo() -> None:
    async with demo.running(Settings(host="127.0.0.1", port=0, streamer_port=0, streamers=1)) as running:
        report = await examine(running.url, "--join")
    assert (report.code, report.names()) == (0, [])
    assert report.summary("offer").startswith("H264, VP8; ")
