"""Resolution and readiness checks of matchmakers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from pixelfleet.service.lifecycle import background
from router.upstreams import matchmakers
from router.upstreams.matchmakers import Matchmakers
from router.upstreams.pool import Pool, Target
from tests.parts import eventually
from tests.unit.router.servers import serving, session


@asynccontextmanager
async def watched(*urls: str) -> AsyncIterator[Matchmakers]:
    async with session() as client:
        made = Matchmakers(Pool(urls), client)
        async with background(made.run()):
            await made.found.wait()
            yield made


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matchmakers, "CHECK_SECONDS", 0.02)


async def test_readiness_checks_use_the_name_as_host() -> None:
    status, hosts = 503, []

    async def readyz(request: web.Request) -> web.Response:
        hosts.append((request.path, request.headers["Host"]))
        return web.Response(status=status)

    async with serving(readyz) as url:
        named = url.replace("http://127.0.0.1", "ws://localhost") + "/base"
        async with watched(named) as made:
            await eventually(lambda: made.usable() == 0, "it is excluded")
            assert made.pool.targets()[0].why == "/readyz answers 503"
            assert made.candidates(), "when all are excluded, all are tried"
            status = 200
            await eventually(lambda: made.usable() > 0, "it is usable again")
    assert hosts[0] == ("/base/readyz", named.removeprefix("ws://").removesuffix("/base"))


async def test_an_unreachable_or_hanging_matchmaker_is_excluded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matchmakers, "ANSWER_SECONDS", 0.1)
    never = asyncio.Event()

    async def hangs(_: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    async with serving(hangs) as url, watched("ws://127.0.0.1:1", url) as made:
        await eventually(lambda: made.usable() == 0, "both are excluded")
        assert {target.why for target in made.pool.targets()} == {"ClientConnectorError", "TimeoutError"}
        never.set()


async def test_an_unresolvable_name_gives_no_targets_and_no_error() -> None:
    async with watched("ws://nowhere.invalid:3000") as made:
        assert made.pool.targets() == []
        assert made.candidates() == []


async def test_over_tls_the_address_is_dialled_and_the_name_is_checked() -> None:
    async with session() as client:
        made = Matchmakers(Pool(()), client)
        secure = Target("wss://match.test:3000/base", "10.0.0.7")
        assert made.connection_options(secure) == {"server_hostname": "match.test"}
        assert made.request_options(secure, {"X": "y"}) == {
            "headers": {"X": "y", "Host": "match.test:3000"},
            "allow_redirects": False,
            "server_hostname": "match.test",
        }
        assert secure.http_url == "https://10.0.0.7:3000/base"
        assert made.connection_options(Target("ws://match.test:3000", "10.0.0.7")) == {}
