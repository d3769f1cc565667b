"""Players over TLS, the redirect from plain HTTP, and the page on the player port."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from websockets.asyncio.client import connect
from yarl import URL

import signalserver.app
from pixelfleet.service.errors import UsageError
from signalserver.settings import Settings
from tests.integration.peers import Peer, streamer
from tests.integration.signalservers import running_signalserver
from tests.parts import SIGNALSERVER_ON_FREE_PORTS
from tests.unit.pixelfleet.net.certificates import Certificate, make_certificate

pytestmark = pytest.mark.integration


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


async def test_players_connect_over_tls_and_plain_http_is_redirected(certificate: Certificate) -> None:
    async with running_signalserver(
        tls_cert=certificate.certificate, tls_key=certificate.key, redirect_port=0
    ) as running:
        port = running.server.player_port
        trusted = await asyncio.to_thread(certificate.client)
        async with running.http.get(f"https://localhost:{port}/livez", ssl=trusted) as answer:
            assert answer.status == 200
        plain = f"http://localhost:{running.server.redirect_port}/player.html?x=1"
        async with running.http.get(plain, allow_redirects=False) as answer:
            assert answer.status == 308
            assert answer.headers["Location"] == f"https://localhost:{port}/player.html?x=1"
        async with (
            streamer(running.streamer_url, "cam") as source,
            connect(f"wss://localhost:{port}", ssl=trusted, compression=None, proxy=None) as socket,
        ):
            viewer = Peer(socket)
            await viewer.receive("config")
            await viewer.send("subscribe", streamerId="cam")
            await source.receive("playerConnected")


async def test_plain_http_on_the_tls_port_gets_no_answer(certificate: Certificate) -> None:
    async with running_signalserver(tls_cert=certificate.certificate, tls_key=certificate.key) as running:
        with pytest.raises(aiohttp.ClientError):
            await running.ask("GET", "/livez")


async def test_an_unusable_certificate_is_named_in_the_error(certificate: Certificate, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text("no certificate")
    settings = Settings(
        **SIGNALSERVER_ON_FREE_PORTS,
        tls_cert=other,
        tls_key=certificate.key,
    )
    with pytest.raises(UsageError, match=r"--tls-cert .*other\.pem"):
        async with signalserver.app.running(settings):
            pass


async def test_a_folder_is_served_on_the_player_port(tmp_path: Path) -> None:
    (tmp_path / "player.html").write_text("<!doctype html><title>mine</title>")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "app.js").write_text("1")
    secret = tmp_path.parent / "secret.txt"
    secret.write_text("hush")
    async with running_signalserver(serve=True, http_root=tmp_path) as running:
        for path, kind in (("/", "text/html"), ("/player.html", "text/html"), ("/scripts/app.js", "javascript")):
            async with running.http.get(running.rest_url + path) as answer:
                assert answer.status == 200
                assert kind in answer.content_type
        for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/scripts/", "/nothing"):
            async with running.http.get(URL(running.rest_url + path, encoded=True)) as answer:
                assert answer.status in (403, 404)
                assert "hush" not in await answer.text()
        async with running.http.get(running.rest_url + "/api/status") as answer:
            assert answer.status == 200


async def test_no_page_is_served_by_default(tmp_path: Path) -> None:
    (tmp_path / "player.html").write_text("mine")
    async with running_signalserver(http_root=tmp_path) as running:
        assert (await running.ask("GET", "/"))[0] == 404
