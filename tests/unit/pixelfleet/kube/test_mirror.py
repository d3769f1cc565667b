import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web
from structlog import DropEvent
from structlog.testing import capture_logs

from pixelfleet.kube import mirror as module
from pixelfleet.kube.client import KubeClient, KubeError, KubeObject
from pixelfleet.kube.mirror import Mirror
from pixelfleet.service.lifecycle import background
from tests.parts import eventually
from tests.unit.pixelfleet.kube.server import ApiServer, node, pod


def read(thing: KubeObject) -> str:
    name: str = thing["metadata"]["name"]
    if name == "invalid":
        raise ValueError("no such node")
    return f"{name} {'cordoned' if thing['spec'].get('unschedulable') else 'open'}"


class Watched:
    """A running mirror, and the number of its changes."""

    def __init__(self, client: KubeClient) -> None:
        self.changes = 0
        self.mirror: Mirror[str] = Mirror(
            client, "api/v1/nodes", "app.pixel/turn", read=read, changed=self._changed, retry=lambda *_: 0.01
        )

    def _changed(self) -> None:
        self.changes += 1

    def shows(self, *expected: str) -> bool:
        return sorted(self.mirror.objects.values()) == sorted(expected)


@pytest.fixture
async def watched(api: ApiServer, client: KubeClient, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(module, "SHORT_WATCH_SECONDS", 0.0)
    api.put(node("a"))
    made = Watched(client)
    task = asyncio.create_task(made.mirror.run())
    await eventually(lambda: api.open_watches and made.shows("a open"), "the watch is open")
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_nodes_are_added_cordoned_and_removed(api: ApiServer, watched: Watched) -> None:
    api.put(node("b"))
    await eventually(lambda: watched.shows("a open", "b open"), "b was added")
    api.put(node("a", cordoned=True))
    await eventually(lambda: watched.shows("a cordoned", "b open"), "a was cordoned")
    api.remove(node("a"))
    await eventually(lambda: watched.shows("b open"), "a was removed")
    assert len(api.lists) == len(api.watches) == 1
    assert watched.mirror.complete
    assert watched.mirror.trouble is None


async def test_a_lost_watch_continues_from_its_last_version(api: ApiServer, watched: Watched) -> None:
    api.put(node("b"))
    await eventually(lambda: watched.shows("a open", "b open"), "b was added")
    api.close_watches()
    api.put(node("c"))
    await eventually(lambda: watched.shows("a open", "b open", "c open"), "c was seen")
    assert len(api.lists) == 1
    assert api.watches[1]["resourceVersion"] == str(api.version - 1)


async def test_a_bookmark_moves_the_version_and_changes_nothing(api: ApiServer, watched: Watched) -> None:
    changes = watched.changes
    api.bookmark()
    version = str(api.version)
    api.close_watches()
    await eventually(lambda: len(api.watches) == 2, "a second watch")
    assert api.watches[1]["resourceVersion"] == version
    assert watched.changes == changes


async def test_an_expired_version_causes_a_new_list(api: ApiServer, watched: Watched) -> None:
    api.close_watches()
    api.restart(node("b"))
    await eventually(lambda: watched.shows("b open"), "the objects were listed again")
    await eventually(lambda: api.open_watches, "the watch is open again")
    assert len(api.lists) == 2
    assert watched.mirror.trouble is None
    assert watched.mirror.failures == 0, "a forgotten version is no failure"


async def test_after_an_outage_the_copy_is_current_before_it_counts_as_such(api: ApiServer, client: KubeClient) -> None:
    retries: list[int] = []

    def retry(failures: int, _: float) -> float:
        retries.append(failures)
        return 0.01

    mirror: Mirror[str] = Mirror(client, "api/v1/nodes", "", read=read, changed=lambda: None, retry=retry)
    seen: list[tuple[str, list[str]]] = []

    def noted(_: object, level: str, line: Any) -> Any:
        if level == "info":
            seen.append((line["event"], list(mirror.objects.values())))
        raise DropEvent

    with capture_logs(processors=[noted]):
        api.put(node("a"))
        async with background(mirror.run()):
            await eventually(lambda: api.open_watches, "the watch is open")
            api.fault = lambda _: web.Response(status=503)
            api.close_watches()
            await eventually(lambda: len(retries) >= 3, "several failures")
            api.restart(node("b"))
            api.fault = None
            await eventually(lambda: seen and api.open_watches, "the API is available again")
    assert seen == [("kubernetes api available", ["b open"])]
    assert len(retries) == mirror.failures, "no further delay for the new list"


async def test_versions_that_are_forgotten_at_once_are_retried_with_a_delay(api: ApiServer, client: KubeClient) -> None:
    delays: list[int] = []

    def retry(failures: int, _: float) -> float:
        delays.append(failures)
        return 0.0 if failures < 5 else 3600.0

    api.oldest = api.version + 1
    mirror = Mirror(client, "api/v1/nodes", "", read=read, changed=lambda: None, retry=retry)
    async with background(mirror.run()):
        await eventually(lambda: len(delays) == 5, "the failures are counted")
    assert len(api.lists) == 5


async def test_an_empty_token_is_refused_as_anonymous(api: ApiServer, watched: Watched) -> None:
    api.token_file.write_text("")
    api.close_watches()
    await eventually(lambda: watched.mirror.failures, "a failure was counted")
    assert watched.mirror.trouble == "HTTP 403"
    assert watched.shows("a open")


async def test_a_token_ends_with_its_pod(api: ApiServer, client: KubeClient) -> None:
    own = pod("turn-api-1", "a", "10.0.0.1")
    api.bound["first"] = "turn-api-1"
    api.put(own)
    assert len((await client.list("api/v1/namespaces/pixel/pods", ""))[0]) == 1
    api.remove(own)
    with pytest.raises(KubeError, match="HTTP 401"):
        await client.list("api/v1/namespaces/pixel/pods", "")


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_the_objects_stay_while_the_server_is_unavailable(api: ApiServer, watched: Watched, status: int) -> None:
    api.fault = lambda _: web.Response(status=status)
    api.close_watches()
    await eventually(lambda: watched.mirror.failures >= 3, "several failures")
    assert watched.shows("a open")
    assert watched.mirror.trouble == f"HTTP {status}"
    api.fault = None
    api.put(node("b"))
    await eventually(lambda: watched.shows("a open", "b open"), "the watch resumed")
    assert watched.mirror.trouble is None


@pytest.mark.parametrize(
    "line", [b"no json", b"[]", b'{"type": "ADDED"}', b'{"type": 7, "object": {}}', b'{"type": "ERROR", "object": {}}']
)
async def test_an_invalid_line_ends_only_that_watch(api: ApiServer, watched: Watched, line: bytes) -> None:
    api.send_line(line)
    await eventually(lambda: watched.mirror.failures, "a failure was counted")
    api.put(node("b"))
    await eventually(lambda: watched.shows("a open", "b open"), "the next watch works")


async def test_an_invalid_object_is_skipped(api: ApiServer, watched: Watched) -> None:
    api.put(node("invalid"))
    api.put(node("b"))
    await eventually(lambda: watched.shows("a open", "b open"), "the others are present")


async def test_watches_that_end_immediately_are_retried_with_a_delay(api: ApiServer, client: KubeClient) -> None:
    delays: list[int] = []

    def retry(failures: int, _: float) -> float:
        delays.append(failures)
        return 0.0 if failures < 5 else 3600.0

    api.fault = lambda request: web.Response(body=b"" if "watch" in request.query else b'{"items": []}')
    mirror = Mirror(client, "api/v1/nodes", "", read=read, changed=lambda: None, retry=retry)
    task = asyncio.create_task(mirror.run())
    await eventually(lambda: len(delays) == 5, "the failures are counted")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert delays == [1, 2, 3, 4, 5]
