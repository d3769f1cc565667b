from collections.abc import AsyncIterator

import pytest

from pixelfleet.service.lifecycle import Tasks
from tests.unit.matchmaker.hall import Hall


@pytest.fixture
async def hall(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hall]:
    """The players of a replica that has just been in contact with its store."""
    async with Tasks() as tasks:
        made = Hall(monkeypatch, tasks)
        await made.turning.turn()
        yield made
