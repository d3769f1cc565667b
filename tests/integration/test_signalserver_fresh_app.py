"""The signalling server runs the test streamer as its application, and starts a new process for each session."""

import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr
from websockets.exceptions import InvalidStatus

from pixelfleet.fleet.memory import MemoryFleetStore
from pixelfleet.fleet.tokens import SessionToken, sign
from signalserver.launcher.signals import processes_named
from tests.integration.peers import player, streamer
from tests.integration.signalservers import RunningSignalserver, running_signalserver
from tests.parts import eventually, free_ports, program

pytestmark = pytest.mark.integration

CLI = "import sys; from pixelfleet_cli.cli import main; sys.exit(main())"
STREAMER = shlex.join([sys.executable, "-c", CLI, "streamer", "--url", "{url}", "--id", "cam", "--fps", "5"])
KEY = SecretStr("k" * 32)
SERVER = "pod-1"


async def is_ready(running: RunningSignalserver) -> bool:
    return await running.ready() is None


def url_of(running: RunningSignalserver, session: str) -> str:
    token = sign(SessionToken(session, SERVER, "cam", "default"), KEY.get_secret_value())
    return f"{running.player_url}/?session={token}"


def named_interpreter(folder: Path) -> Path:
    """Return a link to the interpreter, with a name that no other process has."""
    link = folder / f"Game-{os.getpid()}-Linux-Shipping"
    link.symlink_to(Path(sys.executable).resolve())
    return link


def children_of(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


async def test_each_session_gets_a_new_process_and_none_is_admitted_in_between() -> None:
    store = MemoryFleetStore()
    async with running_signalserver(
        store, fresh_app="restart", app_command=STREAMER, session_key=KEY, require_session=True, server_id=SERVER
    ) as running:
        assert await running.ready() == "the application is starting"
        await eventually(lambda: is_ready(running), "the application is ready")
        async with player(url_of(running, "one")) as viewer:
            await viewer.receive("config")
            await viewer.send("subscribe", streamerId="default")
            await viewer.receive("offer")
        await eventually(lambda: not running.server.players, "the player has left")
        assert await running.ready() == "the application is restarted"
        with pytest.raises(InvalidStatus) as refused:
            async with player(url_of(running, "two")):
                pass
        assert refused.value.response.status_code == 409  # the matchmaker gives it its old place in the queue
        with pytest.raises(InvalidStatus) as streamer_refused:
            async with streamer(running.streamer_url, "cam"):
                pass
        assert streamer_refused.value.response.status_code == 503

        async def in_fleet(*, ready: bool) -> bool:
            streamers = (await store.snapshot()).streamers
            return [(view.report.endpoint_id, view.report.ready) for view in streamers] == [("cam", ready)]

        # The streamer stays in the fleet, so that an operator's drain of it stays as well.
        await eventually(lambda: in_fleet(ready=False), "the store has the report")
        await eventually(lambda: is_ready(running), "the next application is ready")
        await eventually(lambda: in_fleet(ready=True), "the store has the report")
        assert await running.metric('signalserver_application_restarts_total{cause="session"}') == 1
        assert await running.metric("signalserver_application_ready_seconds_count") == 1
        async with player(url_of(running, "two")) as viewer:
            await viewer.receive("config")
            await viewer.send("subscribe", streamerId="default")
            await viewer.receive("offer")


async def test_a_session_with_launch_parameters_gets_an_application_with_them() -> None:
    command = STREAMER.replace("--id cam", "--id={name}")
    async with running_signalserver(fresh_app="restart", app_command=command, launch_parameters=["name"]) as running:
        await eventually(lambda: is_ready(running), "the application is ready")
        assert running.server.streamers != ["desert"]
        async with player(f"{running.player_url}/?launch.name=desert&launch.exec=quit") as viewer:
            await viewer.receive("config")
            assert running.server.streamers == ["desert"]
            await viewer.send("subscribe", streamerId="desert")
            await viewer.receive("offer")
        await eventually(lambda: is_ready(running), "the next application is ready")
        await eventually(lambda: running.server.streamers not in ([], ["desert"]), "it has no parameters")
        assert await running.metric('signalserver_application_restarts_total{cause="launch"}') == 1


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="process descriptors exist on Linux only")
async def test_an_application_that_others_start_is_ended_and_the_next_process_is_awaited(tmp_path: Path) -> None:
    """A shell starts the application again and again, as Kubernetes does with a container."""
    interpreter = named_interpreter(tmp_path)
    name = interpreter.name
    async with running_signalserver(fresh_app="restart", app_process=name) as running:
        words = [str(interpreter), "-c", CLI, "streamer", "--url", running.streamer_url, "--id", "cam", "--fps", "5"]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        async with program("/bin/sh", "-c", f"while true; do {shlex.join(words)}; done", env=environ):
            await eventually(lambda: is_ready(running), "the application is ready")
            async with player(running.player_url) as viewer:
                await viewer.send("subscribe", streamerId="cam")
                await viewer.receive("offer")
                (old,) = await asyncio.to_thread(processes_named, name)
            await eventually(lambda: is_restarted(running), "the next application is ready")
            (new,) = await asyncio.to_thread(processes_named, name)
            assert new != old
        await eventually(lambda: not running.server.streamers, "the server has noticed the end of the application")


async def is_restarted(running: RunningSignalserver) -> bool:
    return await running.metric("signalserver_application_ready_seconds_count") == 1


async def test_a_crash_loop_is_counted_and_the_server_stays_unready() -> None:
    command = shlex.join([sys.executable, "-c", "raise SystemExit(7)"])
    async with running_signalserver(app_command=command) as running:

        async def crashed() -> bool:
            return await running.metric('signalserver_application_restarts_total{cause="crash"}') >= 2

        await eventually(crashed, "it has crashed twice")
        assert await running.ready() is not None


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads the processes from /proc")
async def test_the_application_ends_with_a_server_that_is_killed() -> None:
    ports = free_ports(4)
    options = zip(("--player-port", "--streamer-port", "--sfu-port", "--metrics-port"), map(str, ports), strict=True)
    words = [word for option in options for word in option]
    command = [sys.executable, "-c", CLI, "signalserver", "--host", "127.0.0.1", *words, "--app-command", STREAMER]
    async with program(*command) as server:

        def application() -> list[int]:
            return [child for guard in children_of(server.pid) for child in children_of(guard)]

        (process,) = await eventually(application, "the application runs", tolerating=(FileNotFoundError,))
        os.kill(server.pid, signal.SIGKILL)
        await eventually(lambda: not Path(f"/proc/{process}").exists(), "the application has ended")
