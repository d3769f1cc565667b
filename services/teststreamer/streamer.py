"""The streamer itself: answers the signalling server, and keeps a connection for each player."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

import structlog

from pixelfleet.protocol.messages import PROTOCOL_VERSION, BadMessageError, Message, parse, player_id_of
from teststreamer.datachannel import Conversation, Facts
from teststreamer.dialect import Config, EndpointIdConfirm, Ping, PlayerConnected, read, rtc_configuration
from teststreamer.inputs import Input
from teststreamer.peer import Peer
from teststreamer.picture import Scene
from teststreamer.settings import Settings
from teststreamer.signalling import SignallingLink
from teststreamer.stage import Stage
from teststreamer.video import Broadcaster, Feed

REPORT_SECONDS = 1.0
"""How often players hear of the encoder's quantiser."""

GOODBYE_SECONDS = 1.5
"""How long the players' connections may take to close at the end."""

log = structlog.get_logger(__name__)


class Streamer:
    """One streamer. `run` connects it to its signalling server and serves the players."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.streamer_id = settings.id
        """The id that the server gave; until then the one that is asked for."""
        self.connected = asyncio.Event()
        """Set while the server has us registered, so that players can be sent here."""
        self.stage = Stage()
        self.broadcaster = Broadcaster(settings, self._scene)
        self.link = SignallingLink(settings.url)
        self._peers: dict[str, Peer] = {}
        self._config = Config()
        self._tasks: asyncio.TaskGroup | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def players(self) -> Mapping[str, Peer]:
        """The players by id, connected or on their way."""
        return MappingProxyType(self._peers)

    @property
    def inputs(self) -> list[Input]:
        """What players did of late, oldest first."""
        return list(self.stage.inputs)

    async def run(self) -> None:
        """Serve until cancelled, then let every player go."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                helpers = [
                    self._tasks.create_task(self.broadcaster.run()),
                    self._tasks.create_task(self._report()),
                ]
                try:
                    await self.link.run(self)
                finally:
                    # The link has told the players to go. They are waited for here, since the group would cancel them.
                    if self._serving:
                        await asyncio.wait(self._serving, timeout=GOODBYE_SECONDS)
                    for helper in helpers:
                        helper.cancel()
        finally:
            self.broadcaster.close()

    async def disconnected(self) -> None:
        """Let the players go: the server has let go of them as well, and will send them again."""
        self.connected.clear()
        for peer in [*self._peers.values()]:
            self._forget(peer)
            peer.end()

    def _forget(self, peer: Peer) -> None:
        """Take a player off the list; if it controlled the quality, the one that is here longest does so now."""
        del self._peers[peer.player_id]
        if self.stage.quality_controller == peer.player_id:
            self.stage.quality_controller = None
            if self._peers:
                self.take_quality_control(next(iter(self._peers)))

    async def message(self, data: bytes) -> None:
        """Take one message of the signalling server; what makes no sense is ignored."""
        try:
            message = parse(data)
            await self._take(message)
        except BadMessageError as error:
            log.warning("message of the signalling server ignored", reason=str(error))

    async def _take(self, message: Message) -> None:
        match message["type"]:
            case "identify":
                wish = {"type": "endpointId", "id": self.settings.id, "protocolVersion": PROTOCOL_VERSION}
                await self.link.send(wish)
            case "endpointIdConfirm":
                self.streamer_id = read(message, EndpointIdConfirm).committed_id
                self._registered()
            case "config":
                self._config = read(message, Config)
            case "ping":
                await self.link.send({"type": "pong", "time": read(message, Ping).time})
            case "playerConnected":
                await self._welcome(read(message, PlayerConnected))
            case "playerDisconnected":
                self._dismiss(message)
            case "offer" | "answer" | "iceCandidate":
                await self._pass_on(message)
            case unknown:
                log.debug("message of an unknown type", type=unknown)

    def _registered(self) -> None:
        if not self.connected.is_set():
            log.info("registered with the signalling server", streamer=self.streamer_id)
            self.connected.set()

    async def _welcome(self, player: PlayerConnected) -> None:
        # Servers before 5.5 do not confirm ids; that they send players says as much.
        self._registered()
        player_id = str(player.player_id)
        await self._add(player_id, offers=player.send_offer, data_channel=player.data_channel)

    async def _add(self, player_id: str, *, offers: bool, data_channel: bool = True) -> Peer | None:
        """Make a connection for a player, in place of the one that it may have; None when there are too many."""
        former = self._peers.pop(player_id, None)
        if former is not None:
            former.end()
        if 0 < self.settings.max_players <= len(self._peers):
            log.info("a player too many", player=player_id)
            await self._send_away(player_id, "the streamer is full")
            return None
        assert self._tasks is not None
        feed = Feed(self.broadcaster)
        peer = Peer(
            player_id,
            settings=self.settings,
            configuration=rtc_configuration(self._config, use_servers=self.settings.ice_servers),
            feed=feed,
            conversation=Conversation(player_id, self.stage, self),
            send=self.link.send,
            offers=offers,
            data_channel=data_channel,
        )
        peer.listen(
            keyframe=lambda: self.broadcaster.request_keyframe(feed),
            estimate=lambda bitrate: self._estimated(player_id, bitrate),
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
        """Run a player's connection to its end."""
        reason = await peer.run()
        if self._peers.get(peer.player_id) is peer:
            self._forget(peer)
            if reason is not None:
                await self._send_away(peer.player_id, reason)
        log.info("player left", player=peer.player_id, reason=reason, players=len(self._peers))

    async def _send_away(self, player_id: str, reason: str) -> None:
        await self.link.send({"type": "disconnectPlayer", "playerId": player_id, "reason": reason})

    def _dismiss(self, message: Message) -> None:
        peer = self._peers.get(player_id_of(message) or "")
        if peer is not None:
            self._forget(peer)
            peer.end()

    async def _pass_on(self, message: Message) -> None:
        """Hand a player's message to its connection.

        A player that offers by itself needs a connection that no other offer has used. That is the only way in which
        4.27 servers announce a player at all. When its offer crosses ours, ours counts: browsers take theirs back.
        """
        player_id = player_id_of(message)
        if player_id is None:
            raise BadMessageError(f"{message['type']} of nobody")
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
        """Follow the network of the player that controls the quality; the others get what it gets."""
        if player_id == self.stage.quality_controller:
            self.broadcaster.aim(bitrate)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            for peer in self._peers.values():
                peer.say(peer.conversation.average_qp())

    def _scene(self, frame: int) -> Scene:
        return self.stage.scene(frame=frame, streamer_id=self.streamer_id, players=len(self._peers))

    def facts(self) -> Facts:
        """Tell of the latest frame."""
        video = self.broadcaster
        return Facts(self.streamer_id, video.frames, video.encode_seconds, video.encode_seconds, video.average_qp)

    def initial_settings(self) -> dict[str, object]:
        """Return what the page is told of the stream, in the shape of an Unreal application's answer."""
        settings = self.settings
        return {
            "PixelStreaming": {"AllowPixelStreamingCommands": False, "DisableLatencyTest": False},
            "Encoder": {"TargetBitrate": settings.start_bitrate, "MaxBitrate": settings.max_bitrate},
            "WebRTC": {
                "FPS": settings.fps,
                "MinBitrate": settings.min_bitrate,
                "MaxBitrate": settings.max_bitrate,
            },
            # The picture shows where things happen, so the pointer stays a pointer and is not captured.
            "ConfigOptions": {"DefaultToHover": True},
        }

    def request_keyframe(self, player_id: str) -> None:
        """Make the player's next frame one that needs no earlier one."""
        peer = self._peers.get(player_id)
        if peer is not None:
            self.broadcaster.request_keyframe(peer.feed)

    def set_playing(self, player_id: str, playing: bool) -> None:
        """Send the player frames, or none."""
        peer = self._peers.get(player_id)
        if peer is not None:
            self.broadcaster.set_playing(peer.feed, playing)

    def take_quality_control(self, player_id: str) -> None:
        """Give the player control of the quality, and tell everyone who has it now."""
        self.stage.quality_controller = player_id
        for peer in self._peers.values():
            peer.say(peer.conversation.ownership())
