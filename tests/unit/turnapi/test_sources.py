import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from pixelfleet.kube.client import KubeClient
from pixelfleet.service.errors import UsageError
from tests.parts import eventually
from tests.unit.pixelfleet.kube.server import ApiServer, node, running_api
from turnapi.ice import Server
from turnapi.sources import FileOfServers, Nodes

A, B = Server(("192.0.2.1",)), Server(("192.0.2.2",))

BAD_FILES = {
    "is not JSON": b"[",
    "must be a list": b'{"servers": []}',
    "at least one": b"[]",
    "entry 1": b'["a b"]',
    "larger than": b" " * (1024 * 1024 + 1),
    "not JSON": b"[" * 100_000,
}


@pytest.fixture
async def file(tmp_path: Path) -> FileOfServers:
    path = tmp_path / "servers.json"
    path.write_text('["192.0.2.1"]')
    source = FileOfServers(path, 0.01)
    await source.first()
    return source


async def test_a_changed_file_is_read_again(file: FileOfServers, tmp_path: Path) -> None:
    assert list(file.servers) == [A]
    task = asyncio.create_task(file.run())
    (tmp_path / "servers.json").write_text('["192.0.2.1", "192.0.2.2"]')
    await eventually(lambda: file.servers == (A, B), "the file was read again")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("why", BAD_FILES)
async def test_a_bad_file_is_told_of_once_and_the_last_good_one_kept(
    file: FileOfServers, tmp_path: Path, why: str
) -> None:
    (tmp_path / "servers.json").write_bytes(BAD_FILES[why])
    with capture_logs() as logs:
        await file.look()
        await file.look()
    assert file.servers == (A,)
    assert file.failures == 2
    [line] = logs
    assert why in line["why"]
    (tmp_path / "servers.json").write_text('["192.0.2.2"]')
    await file.look()
    assert file.servers == (B,)


async def test_a_file_that_is_gone_keeps_its_servers(file: FileOfServers, tmp_path: Path) -> None:
    (tmp_path / "servers.json").unlink()
    await file.look()
    assert file.servers == (A,)
    assert "No such file" in file.missing()


@pytest.mark.parametrize("why", BAD_FILES)
async def test_a_start_with_a_bad_file_is_refused(tmp_path: Path, why: str) -> None:
    (tmp_path / "servers.json").write_bytes(BAD_FILES[why])
    with pytest.raises(UsageError, match=why):
        await FileOfServers(tmp_path / "servers.json", 1).first()


async def test_a_start_with_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        await FileOfServers(tmp_path / "missing.json", 1).first()


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with running_api(tmp_path) as running:
        yield running


async def test_nodes_come_and_go_and_the_reason_is_told_when_there_is_none(api: ApiServer) -> None:
    async with aiohttp.ClientSession() as session:
        source = Nodes(KubeClient(session, api.cluster), "app.pixel/turn", "external")
        assert "not known yet" in source.missing()
        task = asyncio.create_task(source.run())
        await eventually(lambda: api.open_watches, "the watch is open")
        assert source.missing() == "no node has the label app.pixel/turn"
        api.put(node("a", ready=False))
        await eventually(lambda: "is ready" in source.missing(), "a node that is not ready")
        api.put(node("a"))
        await eventually(lambda: "external address" in source.missing(), "a node without an address")
        api.put(node("a", external="192.0.2.1"))
        await eventually(lambda: source.servers == (A,), "a node of use")
        api.put(node("b", external="192.0.2.2"))
        api.put(node("a", external="192.0.2.1", cordoned=True))
        await eventually(lambda: source.servers == (B,), "the other one")
        api.remove("b")
        await eventually(lambda: source.servers == (A,), "the cordoned one again")
        api.remove("a")
        await eventually(lambda: source.servers == (), "none")
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
