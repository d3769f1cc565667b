"""Programs run with the command lines of the manifests: the preStop hook, Redis, coturn."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as NotYetError

from tests.integration.operators import TOKEN
from tests.integration.peers import player, streamer
from tests.integration.signalservers import RunningSignalserver, running_signalserver
from tests.manifests.environment import environment
from tests.manifests.pods import Workload, workloads
from tests.manifests.rendering import ROOT, Object, rendered, require_kubectl
from tests.parts import PATIENCE_SECONDS, eventually, free_port, program, require_part

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def pods() -> dict[str, Workload]:
    require_kubectl()
    return {pod.name: pod for pod in workloads(rendered("overlay demo"))}


@asynccontextmanager
async def hook(
    pods: dict[str, Workload], running: RunningSignalserver, token: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the preStop hook of the application's container."""
    command = pods["stream"].spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    arguments = [each.replace("/127.0.0.1/4000", f"/127.0.0.1/{running.server.player_port}") for each in command]
    assert arguments != command
    async with program(*arguments, env={**os.environ, "DRAIN_TOKEN": token}) as process:
        yield process


async def test_the_hook_returns_when_the_last_player_has_left(pods: dict[str, Workload]) -> None:
    async with (
        running_signalserver(rest_token=TOKEN, spread_seconds=0, drain_seconds=600) as running,
        streamer(running.streamer_url, "cam"),
        player(running.player_url) as viewer,
        hook(pods, running, TOKEN) as process,
    ):
        await viewer.receive("sigterm")
        assert await running.ready() == "draining"
        assert process.returncode is None
        await viewer.socket.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 0


async def test_the_hook_returns_at_once_with_a_wrong_token(pods: dict[str, Workload]) -> None:
    async with running_signalserver(rest_token=TOKEN) as running, hook(pods, running, "wrong") as process:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 0
        assert not running.server.draining.begun


def arguments_of(pod: Workload, objects: tuple[Object, ...]) -> list[str]:
    """Return a container's command line with its variables expanded as Kubernetes does."""
    (container,) = pod.spec["containers"]
    environ = environment(container, objects)
    line = [*container["command"], *container["args"]]
    return [re.sub(r"\$\((\w+)\)", lambda found: environ[found[1]], each) for each in line]


async def test_redis_starts_with_its_command_and_requires_the_password(
    pods: dict[str, Workload], tmp_path: Path
) -> None:
    port, objects = free_port(), rendered("overlay demo")
    shell, options, script = arguments_of(pods["redis"], objects)
    assert "PASSWORD" not in script.splitlines()[0], "every process of the node can read the command line"
    script = script.replace("redis-server -", f"{require_part('redis-server')} - --port {port}", 1)
    env = {**os.environ, **environment(pods["redis"].containers[0], objects)}
    url = environment(pods["stream"].containers[0], objects)["PIXELFLEET_SIGNALSERVER_REDIS_URL"]
    async with program(shell, options, script, cwd=tmp_path, env=env):
        client = redis.asyncio.from_url(url.replace("redis:6379", f"127.0.0.1:{port}"))
        await eventually(client.ping, "Redis answers", tolerating=(NotYetError,))
        assert await client.config_get("appendonly", "save", "maxmemory-policy") == {
            "appendonly": "no",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        await client.aclose()
        unauthenticated = redis.asyncio.Redis(port=port)
        with pytest.raises(AuthenticationError):
            await unauthenticated.ping()
        await unauthenticated.aclose()


async def test_coturn_starts_with_its_command(pods: dict[str, Workload], tmp_path: Path) -> None:
    port = free_port()
    files = [f"--userdb={tmp_path / 'turndb'}", f"--pidfile={tmp_path / 'turnserver.pid'}"]
    local = ["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", *files]
    shell, options, script = arguments_of(pods["turn"], rendered("overlay demo"))
    places = {"/etc/pixelfleet": str(ROOT / "turn"), "/tmp": str(tmp_path)}  # noqa: S108 - the container's
    places["exec turnserver"] = f"exec {require_part('turnserver')} {' '.join(local)}"
    script = re.sub("|".join(places), lambda found: places[found[0]], script)
    *_, last = script.splitlines()
    assert last.startswith("exec")
    assert "--allowed-peer-ip=$STREAMERS_FIRST-$STREAMERS_LAST" in last
    assert "SECRET" not in last, "every process of the node can read the command line"
    (container,) = pods["turn"].spec["containers"]
    environ = environment(container, rendered("overlay demo"))
    assert (environ["STREAMERS_FIRST"], environ["STREAMERS_LAST"]) == ("10.0.0.0", "10.255.255.255")
    nowhere = asyncio.subprocess.DEVNULL
    env = {**os.environ, **environ, "TURN_PORT": str(port), "RELAYS_FIRST": "50000", "RELAYS_LAST": "50999"}
    async with program(shell, options, script, env=env, stdout=nowhere, stderr=nowhere) as process:
        await eventually(lambda: _answers(port), "coturn listens", tolerating=(OSError,))
        assert process.returncode is None
    config = tmp_path / "turnserver.conf"
    added = config.read_text().removeprefix((ROOT / "turn" / "turnserver.conf").read_text())
    assert added.split() == [
        f"static-auth-secret={environ['TURN_SECRET']}",
        f"listening-port={port}",
        "prometheus-port=9641",
        "min-port=50000",
        "max-port=50999",
    ]
    assert config.stat().st_mode & 0o077 == 0


async def _answers(port: int) -> bool:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await writer.wait_closed()
    return True


def test_the_configuration_of_coturn_is_the_shipped_file(pods: dict[str, Workload]) -> None:
    (config,) = (each for each in rendered("overlay demo") if each["metadata"]["name"].startswith("turn-config"))
    assert config["data"]["turnserver.conf"] == (ROOT / "turn" / "turnserver.conf").read_text()
    (container,) = pods["turn"].spec["containers"]
    assert "/etc/pixelfleet" in {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("file", ["docker-compose.yml", "k8s/base/turn/daemonset.yaml", "k8s/demo.yaml"])
def test_the_image_of_coturn_has_the_fixes_that_the_guide_lists(file: str) -> None:
    (image,) = re.findall(r"image: coturn/coturn:(\d+)\.(\d+)[.-]", (ROOT / file).read_text())
    guide = (ROOT / "docs/how-to/turn.md").read_text()
    (least,) = re.findall(r"Use coturn (\d+)\.(\d+) or later", guide)
    fixed = re.findall(r"\((\d+)\.(\d+)\.\d+\)", guide)
    assert tuple(map(int, image)) >= tuple(map(int, least))
    assert fixed
    assert all(tuple(map(int, release)) <= tuple(map(int, least)) for release in fixed)
