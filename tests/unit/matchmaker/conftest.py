from collections.abc import AsyncIterator

import pytest

from pixelfleet.service.lifecycle import Tasks
from tests.unit.matchmaker.replicas import Replica


@pytest.fixture
async def replica(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Replica]:
    """A replica whose store has just answered."""
    async with Tasks() as tasks:
        replica = Replica(monkeypatch, tasks)
        await replica.driver.renew()
        yield replica
