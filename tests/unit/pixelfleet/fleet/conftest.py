from collections.abc import AsyncIterator

import pytest

from pixelfleet.fleet.store import FleetStore
from tests.unit.pixelfleet.fleet.stores import IMPLEMENTATIONS, Clock, Fleet


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
async def store(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[FleetStore]:
    async with IMPLEMENTATIONS[request.param](clock) as empty:
        yield empty


@pytest.fixture
def fleet(store: FleetStore, clock: Clock) -> Fleet:
    return Fleet(store, clock)
