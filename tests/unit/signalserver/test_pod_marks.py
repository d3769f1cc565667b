import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from pixelfleet.kube.client import KubeClient
from pixelfleet.net.heartbeat import Heartbeat
from pixelfleet.service.errors import UsageError
from pixelfleet.service.lifecycle import background
from signalserver.application.watch import ApplicationWatch
from signalserver.core.roster import Admission
from signalserver.core.sessions import Sessions
from signalserver.core.state import Rules
from signalserver.core.switchboard import Switchboard
from signalserver.hub import Hub
from signalserver.metrics import Metrics
from signalserver.pod_marks import DELETION_COST, DO_NOT_DISRUPT, SAFE_TO_EVICT, PodMarks, is_busy, marking, marks_of
from signalserver.settings import Settings
from tests.parts import eventually
from tests.unit.pixelfleet.kube.server import ApiServer, running_api
from tests.unit.signalserver.hubs import Made

PATH = "/api/v1/namespaces/pixel/pods/stream-1"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with running_api(tmp_path) as running:
        yield running


@pytest.fixture
async def made() -> Made:
    metrics, watch = Metrics(), ApplicationWatch(0.0, 1e9, 1e9)
    return Made(Hub(Switchboard(Rules()), metrics, Heartbeat(20, 10), watch, Sessions(1)), metrics, watch)


@pytest.fixture
async def marks(api: ApiServer, made: Made) -> AsyncIterator[PodMarks]:
    async with aiohttp.ClientSession() as session:
        marks = PodMarks(KubeClient(session, api.cluster), made.hub, "pixel", "stream-1", retry=lambda *_: 0.01)
        async with background(marks.run()):
            yield marks


def costs(api: ApiServer) -> list[str]:
    return [body["metadata"]["annotations"][DELETION_COST] for _, _, body in api.patches]


def test_a_busy_pod_costs_more_and_is_neither_evicted_nor_disrupted() -> None:
    assert marks_of(True)["metadata"]["annotations"] == {
        DELETION_COST: "100",
        SAFE_TO_EVICT: "false",
        DO_NOT_DISRUPT: "true",
    }


def test_an_idle_pod_is_safe_to_evict() -> None:
    annotations = marks_of(False)["metadata"]["annotations"]
    assert annotations == {DELETION_COST: "0", SAFE_TO_EVICT: "true", DO_NOT_DISRUPT: None}


async def test_a_player_without_a_subscription_does_not_make_the_pod_busy(made: Made) -> None:
    made.streamer("cam")
    player = made.player()
    assert not is_busy(made.hub.switchboard.players())
    player.send("subscribe", streamerId="cam")
    assert is_busy(made.hub.switchboard.players())


async def test_an_admitted_player_makes_the_pod_busy_before_it_subscribes(made: Made) -> None:
    made.streamer("cam")
    made.player(Admission("session-1", "cam", "game"))
    assert is_busy(made.hub.switchboard.players())


@pytest.mark.usefixtures("marks")
async def test_the_pod_is_patched_at_the_start_and_on_idle_and_busy_only(api: ApiServer, made: Made) -> None:
    await eventually(lambda: costs(api) == ["0"], "marked as idle at the start")
    made.streamer("cam")
    first, second = made.player(), made.player()
    first.send("subscribe", streamerId="cam")
    await eventually(lambda: costs(api) == ["0", "100"], "marked as busy")
    second.send("subscribe", streamerId="cam")
    first.leave()
    await asyncio.sleep(0)
    second.leave()
    await eventually(lambda: costs(api) == ["0", "100", "0"], "marked as idle")
    assert {(path, kind) for path, kind, _ in api.patches} == {(PATH, "application/merge-patch+json")}


@pytest.mark.usefixtures("marks")
async def test_the_token_is_read_anew_for_each_patch(api: ApiServer, made: Made) -> None:
    await eventually(lambda: api.patches, "the first patch")
    api.token_file.write_text("second\n")
    made.streamer("cam")
    made.player(Admission("session-1", "cam", "game"))
    await eventually(lambda: len(api.patches) == 2, "the second patch")
    assert api.tokens == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500])
async def test_a_failed_patch_is_repeated_with_the_present_state(
    api: ApiServer, made: Made, marks: PodMarks, status: int
) -> None:
    await eventually(lambda: costs(api) == ["0"], "marked as idle at the start")
    api.fault = lambda _: web.Response(status=status)
    made.streamer("cam")
    player = made.player(Admission("session-1", "cam", "game"))
    await eventually(lambda: marks.failures >= 3, "several failures")
    player.leave()
    api.fault = None
    # The busy patch may have arrived, so the idle one is sent; a patch in progress may precede it.
    await eventually(lambda: len(costs(api)) >= 2 and costs(api)[-1] == "0", "marked as idle again")


async def test_waits_grow_with_failures_in_a_row(api: ApiServer, made: Made) -> None:
    waits: list[int] = []
    api.fault = lambda _: web.Response(status=503)

    def retry(failures: int, _: float) -> float:
        waits.append(failures)
        return 0.001

    async with aiohttp.ClientSession() as session:
        marks = PodMarks(KubeClient(session, api.cluster), made.hub, "pixel", "stream-1", retry=retry)
        async with background(marks.run()):
            await eventually(lambda: len(waits) >= 3, "three failures")
            api.fault = None
            await eventually(lambda: api.patches, "a patch")
    assert waits == list(range(1, len(waits) + 1))


async def test_without_a_pod_name_there_are_no_requests_to_kubernetes(api: ApiServer, made: Made) -> None:
    async with aiohttp.ClientSession() as session, marking(Settings(), session, made.hub, made.metrics):
        assert made.gauge("signalserver_pod_mark_failures_total") is None
    assert not api.tokens


async def test_a_pod_name_outside_a_cluster_is_an_error(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    settings = Settings(pod_name="stream-1", pod_namespace="pixel")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(UsageError, match="not in a pod"):
            async with marking(settings, session, made.hub, made.metrics):
                pass


@pytest.mark.parametrize(
    "chosen", [{"pod_name": "a"}, {"pod_namespace": "a"}, {"pod_name": "../nodes", "pod_namespace": "a"}]
)
def test_a_pod_has_a_name_and_a_namespace(chosen: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="pod"):
        Settings.model_validate(chosen)
