from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from pixelfleet.kube.client import KubeClient
from tests.unit.pixelfleet.kube.server import ApiServer, running_api


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with running_api(tmp_path) as running:
        yield running


@pytest.fixture
async def client(api: ApiServer) -> AsyncIterator[KubeClient]:
    async with aiohttp.ClientSession() as session:
        yield KubeClient(session, api.cluster)
