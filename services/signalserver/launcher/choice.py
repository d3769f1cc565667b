"""Chooses how the application is started and replaced, according to the settings."""

import asyncio
import math
from collections.abc import Coroutine
from time import perf_counter
from typing import Any
from urllib.parse import quote

import aiohttp

from pixelfleet.kube.client import KubeClient, in_cluster
from pixelfleet.net.addresses import local_host
from signalserver.hub import Hub
from signalserver.launcher.command import Command
from signalserver.launcher.launcher import Launcher
from signalserver.launcher.lifecycle import Lifecycle
from signalserver.launcher.means import Means
from signalserver.launcher.pod import PodDeletion
from signalserver.launcher.signals import Signals
from signalserver.metrics import Metrics
from signalserver.settings import Settings


def launcher_of(settings: Settings, hub: Hub, metrics: Metrics) -> Launcher | None:
    """Return the launcher of a server, or None if the application is neither started nor replaced by it."""
    if settings.fresh_app == "off" and not settings.app_command:
        return None
    # Kubernetes may need longer for the image of another container than any application for its start.
    seconds = settings.start_seconds if settings.app_command else math.inf
    lifecycle = Lifecycle(perf_counter(), seconds, fresh=settings.fresh_app != "off")
    return Launcher(hub, metrics, lifecycle, start_seconds=settings.start_seconds)


async def work_of(
    launcher: Launcher | None, settings: Settings, http: aiohttp.ClientSession, streamer_port: int
) -> list[Coroutine[Any, Any, None]]:
    """Return what the launcher runs, empty without one. Raises UsageError outside a cluster if it needs one."""
    if launcher is None:
        return []
    return [launcher.run(await means_of(settings, http, streamer_port, launcher))]


async def means_of(settings: Settings, http: aiohttp.ClientSession, streamer_port: int, launcher: Launcher) -> Means:
    """Return the means of the settings. Raises UsageError outside a cluster if it needs one."""
    if settings.fresh_app == "delete-pod":
        cluster = await asyncio.to_thread(in_cluster)
        return PodDeletion(KubeClient(http, cluster), settings.pod_namespace, settings.pod_name)
    if settings.app_process:
        return Signals(settings.app_process, settings.app_stop_seconds)
    url = f"ws://{local_host(settings.streamer_host)}:{streamer_port}"
    if settings.streamer_token is not None:
        url += f"/?token={quote(settings.streamer_token.get_secret_value(), safe='')}"
    return Command(
        settings.app_command,
        url,
        settings.app_stop_seconds,
        lambda: launcher.session,
        allowed=settings.launch_parameters,
        launch=lambda: launcher.launch,
    )
