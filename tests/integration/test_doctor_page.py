"""The doctor on a page behind a real nginx, and on clocks."""

import email.utils
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from pixelfleet.net.ports import plain_port
from tests.integration.conftest import Chain, running_chain
from tests.integration.test_router_players import USERS
from tests.nginx import UPGRADE, running_nginx
from tests.parts import free_port
from tests.unit.pixelfleet_cli.doctor.doctors import PAGE, STYLED, examine

pytestmark = pytest.mark.integration

OTHER_PAGE = "default_type text/html; return 200 '<!doctype html><title>welcome</title>';"


def forwarded(chain: Chain, path: str = "") -> str:
    """Return the directives that forward a location to the router."""
    return f"{UPGRADE} proxy_pass {chain.page_url}{path};"


async def test_a_page_and_a_websocket_behind_nginx(chain: Chain, tmp_path: Path) -> None:
    async with running_nginx(tmp_path, f"location / {{ {forwarded(chain)} }}") as port:
        report = await examine(f"http://127.0.0.1:{port}/")
    assert (report.code, report.names()) == (0, [])
    assert report.summary("page") == "HTTP 200, 1 file"
    assert report.summary("websocket") == "opened, the server sends matchmaker"


async def test_a_redirect_is_followed_and_its_target_examined(chain: Chain, tmp_path: Path) -> None:
    async with running_nginx(tmp_path, f"location / {{ return 302 {chain.page_url}/; }}") as port:
        report = await examine(f"http://127.0.0.1:{port}/")
    assert report.url == f"{chain.page_url}/"
    assert report.code == 0


async def test_redirects_that_do_not_end(tmp_path: Path) -> None:
    async with running_nginx(tmp_path, "location / { return 302 /again$request_uri; }") as port:
        report = await examine(f"http://127.0.0.1:{port}/")
    assert report.found("page") == ["redirect-loop"]


async def test_a_page_that_requires_authentication(page_folder: Path) -> None:
    async with running_chain(page_folder, entry={"auth": "basic", "users": USERS}) as chain:
        report = await examine(chain.page_url)
        assert report.names() == ["sign-in-needed", "sign-in-needed"]
        assert report.code == 1
        report = await examine(chain.page_url.replace("//", "//ada:secret@"))
        assert (report.code, report.names()) == (0, [])
        assert report.url == f"{chain.page_url}/"


async def test_a_proxy_without_an_upstream(tmp_path: Path) -> None:
    async with running_nginx(tmp_path, f"location / {{ proxy_pass http://127.0.0.1:{free_port()}; }}") as port:
        report = await examine(f"http://127.0.0.1:{port}/")
    assert report.names() == ["refused-by-proxy", "refused-by-proxy"]
    causes = [finding["cause"] for check in report.checks.values() for finding in check["findings"]]
    assert all(cause.startswith("HTTP 502 from nginx/") for cause in causes)


async def test_another_page(tmp_path: Path) -> None:
    async with running_nginx(tmp_path, f"location / {{ {OTHER_PAGE} }}") as port:
        report = await examine(f"http://127.0.0.1:{port}/")
    assert report.found("page") == ["not-a-player-page"]
    assert report.found("websocket") == ["not-a-websocket"]


async def test_a_stripped_prefix_without_its_slash(chain: Chain, tmp_path: Path) -> None:
    locations = f"location = /game {{ {forwarded(chain, '/')} }} location /game/ {{ {forwarded(chain, '/')} }}"
    async with running_nginx(tmp_path, locations) as port:
        report = await examine(f"http://127.0.0.1:{port}/game")
        assert report.found("page") == ["slash-missing"]
        assert "/assets/main-abc123.js: HTTP 404" in report.cause("slash-missing")
        assert (await examine(f"http://127.0.0.1:{port}/game/")).code == 0


async def test_files_that_the_proxy_does_not_forward(chain: Chain, tmp_path: Path) -> None:
    locations = f"location = /game/ {{ {forwarded(chain, '/')} }} location = /game/ws {{ {forwarded(chain, '/ws')} }}"
    async with running_nginx(tmp_path, locations) as port:
        report = await examine(f"http://127.0.0.1:{port}/game/")
    assert report.names() == ["assets-missing"]


@pytest.mark.parametrize("page", [PAGE, STYLED], ids=["script", "style"])
async def test_files_that_the_proxy_answers_with_a_page(
    chain: Chain, page_folder: Path, tmp_path: Path, page: str
) -> None:
    (page_folder / "index.html").write_text(page)
    (page_folder / "assets" / "main-abc123.css").write_text("p {}")
    assert (await examine(chain.page_url)).code == 0
    kind = "js" if page is PAGE else "css"
    locations = f"location ~ {kind}$ {{ {OTHER_PAGE} }} location / {{ {forwarded(chain)} }}"
    async with running_nginx(tmp_path, locations) as port:
        report = await examine(f"http://127.0.0.1:{port}/")
    assert report.names() == ["assets-wrong-type"]
    assert report.cause("assets-wrong-type").startswith(f"/assets/main-abc123.{kind} is text/html")


@asynccontextmanager
async def skewed(chain: Chain, seconds: float) -> AsyncIterator[str]:
    """Run a proxy whose clock is ahead; yield its URL."""

    async def forward(request: web.Request) -> web.Response:
        async with aiohttp.ClientSession() as http, http.get(f"{chain.page_url}{request.path}") as answer:
            body = await answer.read()
            date = email.utils.formatdate(time.time() + seconds, usegmt=True)
            return web.Response(body=body, content_type=answer.content_type, headers={"Date": date})

    app = web.Application()
    app.router.add_get("/{any:.*}", forward)
    async with plain_port(app, host="127.0.0.1", port=0, option="--port") as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize(("seconds", "summary"), [(3600, "60 min ahead of"), (-3600, "60 min behind")])
async def test_a_server_whose_clock_differs(chain: Chain, seconds: float, summary: str) -> None:
    async with skewed(chain, seconds) as url:
        report = await examine(url)
    assert report.found("clock") == ["clock-differs"]
    assert report.summary("clock") == f"{summary} this machine's"
    assert ("too early" if seconds > 0 else "too late") in report.cause("clock-differs")


async def test_a_clock_that_differs_less_than_tokens_allow_for(chain: Chain) -> None:
    async with skewed(chain, -20) as url:
        report = await examine(url)
    assert report.found("clock") == []
    assert report.checks["clock"]["severity"] == "ok"
