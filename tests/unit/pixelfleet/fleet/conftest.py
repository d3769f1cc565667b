from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pixelfleet.fleet import open as opening
from pixelfleet.fleet.redis import runner as redis_runner
from pixelfleet.fleet.store import FleetStore
from tests.parts import PATIENCE_SECONDS
from tests.unit.pixelfleet.fleet.redis_servers import RedisServer, redis_server
from tests.unit.pixelfleet.fleet.stores import IMPLEMENTATIONS, Clock, Fleet, empty_store


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Extend the timeout of Redis for a busy machine."""
    for module in (opening, redis_runner):
        monkeypatch.setattr(module, "ANSWER_SECONDS", PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of one test, which may stop or change it."""
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=IMPLEMENTATIONS)
async def store(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[FleetStore]:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    async with empty_store(url, clock) as empty:
        yield empty


@pytest.fixture
def fleet(store: FleetStore, clock: Clock) -> Fleet:
    return Fleet(store, clock)
