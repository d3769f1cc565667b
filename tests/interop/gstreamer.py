"""A streamer on Debian's GStreamer: a process does WebRTC, this module signalling and data channel messages."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal

from websockets.asyncio.client import ClientConnection, connect

from pixelfleet.protocol.messages import PROTOCOL_VERSION
from tests.interop.run import Run
from tests.parts import PATIENCE_SECONDS, missing_part, program
from teststreamer.datachannel import Conversation, Facts
from teststreamer.inputs import Input
from teststreamer.stage import Stage

PYTHON: Final = "/usr/bin/python3"
"""Debian's interpreter, for which Debian has the bindings of GStreamer."""

SCRIPT: Final = str(Path(__file__).with_name("gstreamer_peer.py"))
GSTREAMER: Final = "GStreamer's webrtcbin"
ID: Final = "gstreamer"


def gstreamer_version() -> str:
    """Return GStreamer's version; without it the test is skipped, with CI=true it fails."""
    try:
        found = subprocess.run(
            [PYTHON, SCRIPT, "version"], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
        )
    except OSError as error:
        missing_part(f"{error}; scripts/install-parts interop installs it")
    if found.returncode:
        missing = found.stdout.strip() or found.stderr.strip().splitlines()[-1]
        missing_part(f"missing is {missing}; scripts/install-parts interop installs it")
    return found.stdout.strip()


class GStreamer:
    """The streamer: relays between a signalserver and the process, and answers the data channels' messages."""

    def __init__(self, socket: ClientConnection, process: asyncio.subprocess.Process, run: Run) -> None:
        self._socket = socket
        self._process = process
        self._run = run
        self._stage = Stage()
        self._conversations: dict[str, Conversation] = {}
        self.registered = asyncio.Event()

    @property
    def inputs(self) -> Sequence[Input]:
        """The players' inputs, oldest first."""
        return [*self._stage.inputs]

    async def converse(self) -> None:
        """Handle the signalserver's messages until the connection ends."""
        async for data in self._socket:
            self._run.log(f"signalserver to GStreamer: {data!r}")
            message = json.loads(data)
            match message["type"]:
                case "identify":
                    await self._send({"type": "endpointId", "id": ID, "protocolVersion": PROTOCOL_VERSION})
                case "endpointIdConfirm":
                    self.registered.set()
                case "ping":
                    await self._send({"type": "pong", "time": message.get("time")})
                case "playerConnected" | "playerDisconnected" | "answer" | "iceCandidate":
                    self._write(message)

    async def listen(self) -> None:
        """Handle the process's messages until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            message = json.loads(line)
            player_id = message["playerId"]
            match message["type"]:
                case "channelOpen":
                    conversation = self._conversations[player_id] = Conversation(player_id, self._stage, self)
                    self._answer(player_id, conversation.greeting())
                case "data":
                    self._answer(player_id, self._conversations[player_id].receive(bytes.fromhex(message["hex"])))
                case _:
                    self._run.log(f"GStreamer to signalserver: {message}")
                    await self._send(message)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(message))

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        if self._process.stdin.is_closing():
            self._run.log("GStreamer's process has ended")
        else:
            self._process.stdin.write(f"{json.dumps(message)}\n".encode())

    def _answer(self, player_id: str, messages: list[bytes]) -> None:
        for data in messages:
            self._write({"type": "data", "playerId": player_id, "hex": data.hex()})

    def facts(self) -> Facts:
        return Facts(ID)

    def initial_settings(self) -> dict[str, object]:
        return {"ConfigOptions": {"DefaultToHover": True}}

    def request_keyframe(self, player_id: str) -> None:
        """Do nothing: the encoder sends a keyframe every second."""

    def set_playing(self, player_id: str, playing: bool) -> None:
        """Do nothing: the picture always plays."""

    def take_quality_control(self, player_id: str) -> None:
        self._stage.quality_controller = player_id


@asynccontextmanager
async def gstreamer(url: str, codec: Literal["h264", "vp8"], run: Run) -> AsyncIterator[GStreamer]:
    """Run a streamer that is registered at the signalserver with this streamer URL."""
    command = (PYTHON, SCRIPT, codec)
    async with (
        program(*command, stdin=asyncio.subprocess.PIPE) as process,
        connect(url, compression=None, proxy=None) as socket,
    ):
        streamer = GStreamer(socket, process, run)
        async with asyncio.TaskGroup() as tasks:
            background = [
                tasks.create_task(each) for each in (streamer.converse(), streamer.listen(), _log(process, run))
            ]
            with run.step("the streamer registers"):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await streamer.registered.wait()
            try:
                yield streamer
            finally:
                for task in background:
                    task.cancel()


async def _log(process: asyncio.subprocess.Process, run: Run) -> None:
    assert process.stderr is not None
    async for line in process.stderr:
        run.log(f"GStreamer: {line.decode(errors='replace').rstrip()}")
