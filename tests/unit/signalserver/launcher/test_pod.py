import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from pixelfleet.kube.client import KubeClient
from signalserver.launcher.means import EndError
from signalserver.launcher.pod import PodDeletion
from tests.parts import eventually
from tests.unit.pixelfleet.kube.server import ApiServer, running_api


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with running_api(tmp_path) as running:
        yield running


@pytest.fixture
async def means(api: ApiServer) -> AsyncIterator[PodDeletion]:
    async with aiohttp.ClientSession() as session:
        yield PodDeletion(KubeClient(session, api.cluster), "pixel", "stream-1")


@pytest.mark.parametrize("already_gone", [False, True])
async def test_the_pod_is_deleted_once_and_its_end_is_awaited(
    api: ApiServer, means: PodDeletion, already_gone: bool
) -> None:
    requests: list[str] = []

    def gone(request: web.Request) -> web.StreamResponse:
        requests.append(request.path)
        return web.json_response({}, status=HTTPStatus.NOT_FOUND)

    if already_gone:
        api.fault = gone
    ending = asyncio.create_task(means.end())
    await eventually(lambda: requests or api.deletions, "the request has arrived")
    assert (requests or api.deletions) == ["/api/v1/namespaces/pixel/pods/stream-1"]
    await asyncio.sleep(0)
    assert not ending.done()
    ending.cancel()


async def test_a_refusal_is_an_error(api: ApiServer, means: PodDeletion) -> None:
    api.fault = lambda _: web.json_response({}, status=HTTPStatus.FORBIDDEN)
    with pytest.raises(EndError, match="the pod cannot be deleted: HTTP 403"):
        await means.end()
