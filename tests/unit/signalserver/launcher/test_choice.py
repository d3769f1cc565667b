"""The choice of the means by the settings."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from pixelfleet.service.errors import UsageError
from signalserver.launcher.choice import launcher_of, means_of
from signalserver.launcher.command import Command
from signalserver.launcher.launcher import Launcher
from signalserver.launcher.signals import Signals
from signalserver.settings import Settings
from tests.unit.signalserver.hubs import make_hub


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def launcher(**chosen: Any) -> tuple[Settings, Launcher | None]:
    settings, made = Settings(**chosen), make_hub()
    return settings, launcher_of(settings, made.hub, made.metrics)


async def test_without_options_there_is_no_launcher() -> None:
    assert launcher()[1] is None


@pytest.mark.parametrize(
    ("chosen", "kind"),
    [
        ({"app_command": "game {url}"}, Command),
        ({"app_command": "game {url}", "fresh_app": "restart", "streamer_token": "a b"}, Command),
        ({"app_process": "game", "fresh_app": "restart"}, Signals),
    ],
)
async def test_the_means_follow_the_settings(http: aiohttp.ClientSession, chosen: dict[str, Any], kind: type) -> None:
    settings, made = launcher(**chosen)
    assert made is not None
    means = await means_of(settings, http, 8888, made)
    assert isinstance(means, kind)


async def test_a_pod_can_be_deleted_in_a_cluster_only(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    settings, made = launcher(fresh_app="delete-pod", pod_name="stream-1", pod_namespace="pixel")
    assert made is not None
    with pytest.raises(UsageError, match="not in a pod"):
        await means_of(settings, http, 8888, made)
