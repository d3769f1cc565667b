"""The test streamer: handles messages of the signalling server, and keeps a connection for each player."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

import structlog

from pixelfleet.protocol.messages import PROTOCOL_VERSION, BadMessageError, Message, parse, player_id_of
from teststreamer.datachannel import Conversation, Facts
from teststreamer.datachannel_codec import encode
from teststreamer.dialect import Config, EndpointIdConfirm, Ping, PlayerConnected, read, rtc_configuration
from teststreamer.inputs import Input
from teststreamer.peer import Peer
from teststreamer.picture import Scene
from teststreamer.settings import Settings
from teststreamer.signalling import SignallingLink
from teststreamer.sound import Sound
from teststreamer.stage import Stage
from teststreamer.video import Broadcaster, Feed

REPORT_SECONDS = 1.0
"""The interval of reports of the encoder's quantiser to players."""

SHUTDOWN_SECONDS = 1.5
"""The time at shutdown in which the players' connections should close."""

log = structlog.get_logger(__name__)


class Streamer:
    """One streamer. `run` connects it to its signalling server and serves the players."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.streamer_id = settings.id
        """The id that the server confirmed; until then the requested one."""
        self.connected = asyncio.Event()
        """Set while the streamer is registered with the signalling server."""
        self.stage = Stage(keep_marks=settings.keep_marks)
        self.broadcaster = Broadcaster(settings, self._scene)
        self.link = SignallingLink(settings.url)
        self._peers: dict[str, Peer] = {}
        self._config = Config()
        self._tasks: asyncio.TaskGroup | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def players(self) -> Mapping[str, Peer]:
        """The players by id, connected or connecting."""
        return MappingProxyType(self._peers)

    @property
    def inputs(self) -> list[Input]:
        """The last inputs of players, oldest first."""
        return list(self.stage.inputs)

    async def run(self) -> None:
        """Serve until cancelled, then close every player's connection."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                background = [
                    self._tasks.create_task(self.broadcaster.run()),
                    self._tasks.create_task(self._report()),
                ]
                try:
                    await self.link.run(self)
                finally:
                    # `disconnected` has ended the connections. The task group would cancel them before they close.
                    if self._serving:
                        await asyncio.wait(self._serving, timeout=SHUTDOWN_SECONDS)
                    for task in background:
                        task.cancel()
        finally:
            self.broadcaster.close()

    async def disconnected(self) -> None:
        """End every player's connection: the server closes its players too, and they reconnect."""
        self.connected.clear()
        for peer in [*self._peers.values()]:
            self._remove(peer)
            peer.end()

    def _remove(self, peer: Peer) -> None:
        """Remove a player and its input; if it controlled the quality, the player that connected first does now."""
        del self._peers[peer.player_id]
        self.stage.forget(peer.player_id)
        if self.stage.quality_controller == peer.player_id:
            self.stage.quality_controller = None
            if self._peers:
                self.take_quality_control(next(iter(self._peers)))

    async def message(self, data: bytes) -> None:
        """Handle one message of the signalling server; an invalid one is logged and ignored."""
        try:
            message = parse(data)
            await self._handle(message)
        except BadMessageError as error:
            log.warning("message of the signalling server ignored", reason=str(error))

    async def _handle(self, message: Message) -> None:
        match message["type"]:
            case "identify":
                await self.link.send(
                    {"type": "endpointId", "id": self.settings.id, "protocolVersion": PROTOCOL_VERSION}
                )
            case "endpointIdConfirm":
                self.streamer_id = read(message, EndpointIdConfirm).committed_id
                self._registered()
            case "config":
                self._config = read(message, Config)
            case "ping":
                await self.link.send({"type": "pong", "time": read(message, Ping).time})
            case "playerConnected":
                await self._player_connected(read(message, PlayerConnected))
            case "playerDisconnected":
                self._player_disconnected(message)
            case "offer" | "answer" | "iceCandidate":
                await self._deliver(message)
            case unknown:
                log.debug("unknown message type", type=unknown)

    def _registered(self) -> None:
        if not self.connected.is_set():
            log.info("registered with the signalling server", streamer=self.streamer_id)
            self.connected.set()

    async def _player_connected(self, player: PlayerConnected) -> None:
        # Servers before 5.5 do not confirm ids; the first player implies that the streamer is registered.
        self._registered()
        player_id = str(player.player_id)
        await self._add(player_id, offers=player.send_offer, data_channel=player.data_channel)

    async def _add(self, player_id: str, *, offers: bool, data_channel: bool = True) -> Peer | None:
        """Create a connection for a player and end its old one, if any; return None if there are too many players."""
        old = self._peers.pop(player_id, None)
        if old is not None:
            self.stage.forget(player_id)
            old.end()
        if 0 < self.settings.max_players <= len(self._peers):
            log.info("player refused", player=player_id, reason="full")
            await self._disconnect(player_id, "the streamer is full")
            return None
        assert self._tasks is not None
        feed = Feed(self.broadcaster)
        peer = Peer(
            player_id,
            settings=self.settings,
            configuration=rtc_configuration(self._config, use_servers=self.settings.ice_servers),
            feed=feed,
            sound=Sound() if self.settings.sound else None,
            conversation=Conversation(player_id, self.stage, self),
            send=self.link.send,
            on_keyframe_request=lambda: self.broadcaster.request_keyframe(feed),
            on_estimate=lambda bitrate: self._estimated(player_id, bitrate),
            offers=offers,
            data_channel=data_channel,
        )
        self._peers[player_id] = peer
        if self.stage.quality_controller is None:
            self.stage.quality_controller = player_id
        log.info("player connected", player=player_id, players=len(self._peers))
        task = self._tasks.create_task(self._serve(peer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        return peer

    async def _serve(self, peer: Peer) -> None:
        """Run a player's connection until it ends."""
        reason = await peer.run()
        if self._peers.get(peer.player_id) is peer:
            self._remove(peer)
            if reason is not None:
                await self._disconnect(peer.player_id, reason)
        log.info("player disconnected", player=peer.player_id, reason=reason, players=len(self._peers))

    async def _disconnect(self, player_id: str, reason: str) -> None:
        await self.link.send({"type": "disconnectPlayer", "playerId": player_id, "reason": reason})

    def _player_disconnected(self, message: Message) -> None:
        peer = self._peers.get(player_id_of(message) or "")
        if peer is not None:
            self._remove(peer)
            peer.end()

    async def _deliver(self, message: Message) -> None:
        """Pass a player's message to its connection.

        A player's offer needs a connection without an offer; 4.27 servers announce players by an offer only. When the
        offers of both sides cross, the streamer's counts: browsers roll theirs back.
        """
        player_id = player_id_of(message)
        if player_id is None:
            raise BadMessageError(f"{message['type']} without playerId")
        peer = self._peers.get(player_id)
        if message["type"] == "offer":
            if peer is not None and peer.awaits_answer:
                log.debug("two offers crossed", player=player_id)
                return
            if peer is None or not peer.can_answer:
                peer = await self._add(player_id, offers=False)
        if peer is not None:
            peer.deliver(message)

    def _estimated(self, player_id: str, bitrate: int) -> None:
        """Set the bitrate to the estimate of the player that controls the quality; others are ignored."""
        if player_id == self.stage.quality_controller:
            self.broadcaster.aim(bitrate)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            for peer in self._peers.values():
                peer.send(peer.conversation.average_qp())

    def _scene(self, frame: int) -> Scene:
        return self.stage.scene(frame=frame, streamer_id=self.streamer_id, players=len(self._peers))

    def facts(self) -> Facts:
        """Return the facts of the latest frame."""
        video = self.broadcaster
        return Facts(self.streamer_id, video.frames, video.encode_seconds, video.encode_seconds, video.average_qp)

    def initial_settings(self) -> dict[str, object]:
        """Return the `InitialSettings` of the stream, in the shape of an Unreal application's."""
        settings = self.settings
        return {
            "PixelStreaming": {"AllowPixelStreamingCommands": False, "DisableLatencyTest": False},
            "Encoder": {"TargetBitrate": settings.start_bitrate, "MaxBitrate": settings.max_bitrate},
            "WebRTC": {
                "FPS": settings.fps,
                "MinBitrate": settings.min_bitrate,
                "MaxBitrate": settings.max_bitrate,
            },
            # The picture shows the positions of inputs, so the page must not capture the pointer.
            "ConfigOptions": {"DefaultToHover": True},
        }

    def respond(self, text: str) -> None:
        """Send a text to all players, as an application does with a response to its page."""
        for peer in self._peers.values():
            peer.send(encode("Response", text))

    def request_keyframe(self, player_id: str) -> None:
        """Make the player's next frame a keyframe."""
        peer = self._peers.get(player_id)
        if peer is not None:
            self.broadcaster.request_keyframe(peer.feed)

    def set_playing(self, player_id: str, playing: bool) -> None:
        """Start or stop the player's frames and sound."""
        peer = self._peers.get(player_id)
        if peer is not None:
            self.broadcaster.set_playing(peer.feed, playing)
            if peer.sound is not None:
                peer.sound.playing = playing

    def take_quality_control(self, player_id: str) -> None:
        """Give the player control of the quality, and notify all players."""
        self.stage.quality_controller = player_id
        for peer in self._peers.values():
            peer.send(peer.conversation.ownership())
