"""The broadcaster: draws and encodes each frame once, and distributes it to all players.

Without players it draws nothing, so an idle streamer uses no CPU.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from teststreamer.encoder import CLOCK_RATE, TIME_BASE, Codec, Packet, VideoEncoder
from teststreamer.picture import Picture, Scene
from teststreamer.settings import Settings

KEYFRAME_SECONDS: Final = 0.25
"""The shortest time between requested keyframes; a keyframe is about twenty times as large as another frame."""

FEED_PACKETS: Final = 60
"""The number of packets that may wait for a player's connection before it skips to the next keyframe."""


class Feed(MediaStreamTrack):
    """One player's video track: encoded frames, starting with a keyframe."""

    kind = "video"

    def __init__(self, broadcaster: "Broadcaster") -> None:
        super().__init__()
        self.codec: Codec = "h264"
        """The negotiated codec; set before the connection requests the first frame."""
        self.playing = True
        """False while the player has paused the video."""
        self.waits_for_keyframe = True
        self.packets_dropped = 0
        self._broadcaster = broadcaster
        self._packets: asyncio.Queue[Packet] = asyncio.Queue(FEED_PACKETS)

    async def recv(self) -> Packet:
        """Return the next encoded frame; the first call starts the feed. Raise MediaStreamError once it is stopped."""
        if self.readyState != "live":
            raise MediaStreamError
        self._broadcaster.join(self)
        return await self._packets.get()

    def push(self, packet: Packet) -> bool:
        """Queue a frame; return False when the queue was full and the feed needs a keyframe."""
        if self.waits_for_keyframe and not packet.is_keyframe:
            return True
        self.waits_for_keyframe = False
        if not self._packets.full():
            self._packets.put_nowait(packet)
            return True
        self.packets_dropped += 1 + self._packets.qsize()
        while not self._packets.empty():
            self._packets.get_nowait()
        self.waits_for_keyframe = True
        return False

    def stop(self) -> None:
        """End the feed."""
        self._broadcaster.leave(self)
        super().stop()


class Broadcaster:
    """Draws, encodes and distributes frames while `run` runs."""

    def __init__(self, settings: Settings, scene: Callable[[int], Scene]) -> None:
        """Create a broadcaster for one run; `scene` returns the content of the frame with a number."""
        self._settings = settings
        self._scene = scene
        self._picture: Picture | None = None
        self._encoders: dict[Codec, VideoEncoder] = {}
        self._feeds: set[Feed] = set()
        self._watched = asyncio.Event()
        self._keyframes_due: set[Codec] = set()
        self._keyframe_at: dict[Codec, float] = {}
        self._bitrate = settings.start_bitrate
        self._pts = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="frames")
        self.frames = 0
        """The number of drawn frames."""
        self.encode_seconds = 0.0
        """The time for drawing and encoding the latest frame."""

    @property
    def average_qp(self) -> float:
        """The highest recent quantiser of all encoders; 0 while none runs."""
        return max((encoder.average_qp for encoder in self._encoders.values()), default=0.0)

    def join(self, feed: Feed) -> None:
        """Add a feed, which gets frames from the next keyframe on."""
        if feed in self._feeds:
            return
        self._feeds.add(feed)
        feed.waits_for_keyframe = True
        self._keyframe_at.pop(feed.codec, None)
        self.request_keyframe(feed)
        self._update_watched()

    def leave(self, feed: Feed) -> None:
        """Remove a feed."""
        self._feeds.discard(feed)
        self._update_watched()

    def set_playing(self, feed: Feed, playing: bool) -> None:
        """Start or stop a feed's frames; they start again with a keyframe."""
        if playing and not feed.playing:
            feed.waits_for_keyframe = True
            self.request_keyframe(feed)
        feed.playing = playing
        self._update_watched()

    def request_keyframe(self, feed: Feed) -> None:
        """Make one of the next frames of a feed a keyframe."""
        self._keyframes_due.add(feed.codec)

    def aim(self, bitrate: int) -> None:
        """Set the bitrate in bits per second, within the settings' bounds."""
        self._bitrate = max(self._settings.min_bitrate, min(bitrate, self._settings.max_bitrate))

    def close(self) -> None:
        """End the thread after its present frame."""
        self._thread.shutdown(wait=False)

    def _update_watched(self) -> None:
        if any(feed.playing for feed in self._feeds):
            self._watched.set()
        else:
            self._watched.clear()

    async def run(self) -> None:
        """Draw frames at the settings' rate while there are playing feeds, until cancelled."""
        loop = asyncio.get_running_loop()
        period = 1 / self._settings.fps
        origin = loop.time()
        # Drawn now, in the frame thread, so that the first player does not wait for it.
        self._picture = await loop.run_in_executor(self._thread, self._new_picture)
        while True:
            await self._watched.wait()
            due = loop.time()
            while self._watched.is_set():
                self._pts = max(self._pts + 1, round((loop.time() - origin) * CLOCK_RATE))
                await self._show(loop)
                due += period
                late = loop.time() - due
                if late > period:
                    # Skip missed frames.
                    due += late
                await asyncio.sleep(max(0.0, -late))

    def _new_picture(self) -> Picture:
        return Picture(self._settings.width, self._settings.height, self._settings.fps)

    async def _show(self, loop: asyncio.AbstractEventLoop) -> None:
        """Draw, encode and distribute one frame."""
        watching = [feed for feed in self._feeds if feed.playing]
        codecs = {feed.codec for feed in watching}
        started = loop.time()
        keyframes = {
            codec
            for codec in codecs & self._keyframes_due
            if started - self._keyframe_at.get(codec, -KEYFRAME_SECONDS) >= KEYFRAME_SECONDS
        }
        self._keyframes_due -= keyframes
        self._keyframe_at |= dict.fromkeys(keyframes, started)
        self.frames += 1
        began = time.perf_counter()
        scene = self._scene(self.frames)
        packets = await loop.run_in_executor(self._thread, self._make, scene, codecs, keyframes)
        # Not the loop's clock, because uvloop's has a resolution of one millisecond.
        self.encode_seconds = time.perf_counter() - began
        for feed in watching:
            for packet in packets.get(feed.codec, ()):
                if not feed.push(packet):
                    self.request_keyframe(feed)

    def _make(self, scene: Scene, codecs: set[Codec], keyframes: set[Codec]) -> dict[Codec, list[Packet]]:
        """Return the packets of the frame by codec. Runs in the frame thread."""
        assert self._picture is not None
        for codec in self._encoders.keys() - codecs:
            del self._encoders[codec]
        frame = self._picture.draw(scene)
        packets: dict[Codec, list[Packet]] = {}
        for codec in codecs:
            frame.pts, frame.time_base = self._pts, TIME_BASE
            encoder = self._encoders.get(codec)
            if encoder is None:
                encoder = self._encoders[codec] = self._open(codec)
            encoder.aim(self._bitrate)
            packets[codec] = encoder.encode(frame, keyframe=codec in keyframes)
        return packets

    def _open(self, codec: Codec) -> VideoEncoder:
        size = self._settings
        return VideoEncoder(codec, size.width, size.height, size.fps, self._bitrate, size.max_bitrate)
