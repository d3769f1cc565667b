import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pixelfleet.service.errors import UsageError
from tests.parts import eventually
from turnapi.ice import Server
from turnapi.sources import ServersFile

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
async def file(tmp_path: Path) -> ServersFile:
    path = tmp_path / "servers.json"
    path.write_text('["192.0.2.1"]')
    source = ServersFile(path, 0.01)
    await source.load()
    return source


async def test_a_changed_file_is_read_again(file: ServersFile, tmp_path: Path) -> None:
    assert list(file.servers) == [A]
    task = asyncio.create_task(file.run())
    (tmp_path / "servers.json").write_text('["192.0.2.1", "192.0.2.2"]')
    await eventually(lambda: file.servers == (A, B), "the file was read again")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("error", BAD_FILES)
async def test_an_invalid_file_is_logged_once_and_the_servers_stay(
    file: ServersFile, tmp_path: Path, error: str
) -> None:
    (tmp_path / "servers.json").write_bytes(BAD_FILES[error])
    with capture_logs() as logs:
        await file.refresh()
        await file.refresh()
    assert file.servers == (A,)
    assert file.failures == 2
    [line] = logs
    assert error in line["why"]
    (tmp_path / "servers.json").write_text('["192.0.2.2"]')
    await file.refresh()
    assert file.servers == (B,)


async def test_the_servers_of_a_removed_file_stay(file: ServersFile, tmp_path: Path) -> None:
    (tmp_path / "servers.json").unlink()
    await file.refresh()
    assert file.servers == (A,)
    assert "No such file" in file.missing()


@pytest.mark.parametrize("error", BAD_FILES)
async def test_a_start_with_an_invalid_file_is_refused(tmp_path: Path, error: str) -> None:
    (tmp_path / "servers.json").write_bytes(BAD_FILES[error])
    with pytest.raises(UsageError, match=error):
        await ServersFile(tmp_path / "servers.json", 1).load()


async def test_a_start_with_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        await ServersFile(tmp_path / "missing.json", 1).load()
