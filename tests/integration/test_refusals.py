"""The header with the reason, on refusals of router, matchmaker and signalling server."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from pixelfleet.net.refusal import REFUSAL_HEADER
from tests.integration.matchmakers import running_matchmaker
from tests.integration.router_stack import running_stack
from tests.integration.signalservers import running_signalserver

pytestmark = pytest.mark.integration

ORIGIN = "https://play.example"
OTHER = {"Origin": "https://other.example"}
LOST_UPGRADE = {"Sec-WebSocket-Key": "MTIzNDU2Nzg5MDEyMzQ1Ng==", "Sec-WebSocket-Version": "13"}


def running(service: str, page: Path, **settings: Any) -> AbstractAsyncContextManager[Any]:
    if service == "router":
        return running_stack(page, **settings)
    return running_matchmaker(**settings) if service == "matchmaker" else running_signalserver(**settings)


def url_of(service: str, running: Any) -> str:
    url: str = running.url if service == "router" else running.rest_url
    return url


async def refused(url: str, headers: dict[str, str] | None = None) -> tuple[int, str | None]:
    """Return the status and the reason of a refused websocket."""
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await http.ws_connect(url, headers=headers)
        assert error.value.headers is not None
        return error.value.status, error.value.headers.get(REFUSAL_HEADER)


@pytest.mark.parametrize("service", ["router", "matchmaker", "signalserver"])
async def test_a_page_of_another_origin_is_refused_with_the_reason(service: str, page_folder: Path) -> None:
    async with running(service, page_folder, origins=[ORIGIN]) as server:
        for path in ("/ws", "/matchmaker"):
            if service != "router" or path == "/ws":
                found = await refused(url_of(service, server) + path, OTHER)
                assert found == (403, "origin-not-allowed")


@pytest.mark.parametrize(
    ("service", "settings", "path", "found"),
    [
        ("router", {"auth": "link", "link_key": "k" * 32}, "/ws", (401, "unauthenticated")),
        ("router", {"joins_per_minute": 1e-6}, "/ws", (429, "too-many-requests")),
        ("router", {"connections_per_address": 1}, "/ws", (429, "too-many-players")),
        ("router", {"max_players": 1}, "/matchmaker", (503, "full")),
        ("matchmaker", {"auth": "link", "link_key": "k" * 32}, "/ws", (401, "unauthenticated")),
        ("matchmaker", {"max_queue": 1}, "/ws", (503, "full")),
        ("matchmaker", {}, "/ws?app=a%20b", (400, "bad-request")),
        ("signalserver", {"max_players": 1}, "/ws", (503, "full")),
        ("signalserver", {"session_key": "k" * 32, "require_session": True}, "/ws", (403, "forbidden")),
    ],
)
async def test_each_refusal_has_its_reason(
    service: str, settings: dict[str, Any], path: str, found: tuple[int, str], page_folder: Path
) -> None:
    async with running(service, page_folder, **settings) as server, aiohttp.ClientSession() as http:
        url = url_of(service, server)
        # The first player has the only place.
        first = await http.ws_connect(url + path) if found[0] in (429, 503) else None
        assert await refused(url + path) == found
        if first is not None:
            await first.close()


@pytest.mark.parametrize("service", ["router", "matchmaker", "signalserver"])
async def test_each_service_names_a_proxy_that_takes_the_upgrade_away(service: str, page_folder: Path) -> None:
    async with running(service, page_folder) as server, aiohttp.ClientSession() as http:
        with capture_logs() as logs:
            for _ in range(3):
                async with http.get(f"{url_of(service, server)}/ws", headers=LOST_UPGRADE) as answer:
                    assert (answer.status, answer.headers[REFUSAL_HEADER]) == (426, "upgrade-required")
    warnings = [entry for entry in logs if entry["log_level"] == "warning"]
    assert [(entry["proxy"], entry["path"]) for entry in warnings] == [("127.0.0.1", "/ws")]


async def test_a_page_of_an_allowed_origin_may_read_the_reason(page_folder: Path) -> None:
    async with (
        running_stack(page_folder, origins=[ORIGIN]) as stack,
        aiohttp.ClientSession() as http,
        http.get(f"{stack.url}/ws", headers={"Origin": ORIGIN}) as answer,
    ):
        assert (answer.status, answer.headers[REFUSAL_HEADER]) == (426, "upgrade-required")
        assert REFUSAL_HEADER in answer.headers["Access-Control-Expose-Headers"]
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
