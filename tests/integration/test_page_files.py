"""The page's documents and pictures, and compressed copies of its files."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from pixelfleet.auth.person import PLAYER_COOKIE, player_id
from router.page_files import add_page

pytestmark = pytest.mark.integration

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(page_folder: Path) -> AsyncIterator[Client]:
    (page_folder / "page.json").write_text('{"parents": []}')
    (page_folder / "branding.json").write_text('{"name": "Acme"}')
    (page_folder / "branding").mkdir()
    (page_folder / "branding" / "mark.svg").write_text("<svg/>")
    (page_folder / "index.html.gz").write_bytes(gzip.compress(b"<!doctype html><title>compressed</title>"))
    app = web.Application()
    await add_page(app, page_folder)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(("path", "fields"), [("/page.json", {"parents": []}), ("/branding.json", {"name": "Acme"})])
async def test_a_document_is_revalidated_each_time(client: Client, path: str, fields: dict[str, object]) -> None:
    async with client.get(path) as answer:
        assert await answer.json() == fields
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_page_sets_a_cookie_once_by_which_a_kick_knows_its_person(client: Client) -> None:
    async with client.get("/") as answer:
        cookie = answer.cookies[PLAYER_COOKIE]
        assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["max-age"]) == ("/", True, "Lax", "")
    async with client.get("/") as answer:
        assert answer.cookies == {}
    client.session.cookie_jar.clear()
    async with client.get("/", headers={"Cookie": f"{PLAYER_COOKIE}=x"}) as answer:
        assert player_id(answer.cookies[PLAYER_COOKIE].value)


async def test_pictures_of_the_branding_are_served_and_nothing_above_their_folder(client: Client) -> None:
    async with client.get("/branding/mark.svg") as answer:
        assert answer.content_type == "image/svg+xml"
    for path in ("/branding/..%2fpage.json", "/branding/%2e%2e/index.html", "/branding/", "/branding/none.svg"):
        async with client.get(path) as answer:
            assert answer.status in (403, 404)


async def test_a_compressed_copy_is_served_to_clients_that_accept_it(client: Client) -> None:
    async with client.get("/", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.content_type == "text/html"
        assert "compressed" in await answer.text()
    async with client.get("/", headers={"Accept-Encoding": "identity"}) as answer:
        assert "Content-Encoding" not in answer.headers
