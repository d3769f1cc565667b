"""Encodes the streamer's frames once for all of its players.

aiortc would encode for each connection, with settings that use five times as much CPU (5.8 ms per frame at 1280x720
against 1.2 ms). It also accepts encoded packets, so the streamer has one encoder per codec, whose packets go to all
players.
"""

from fractions import Fraction
from typing import Final, Literal, TypeAlias, assert_never

import av
from av.video.frame import PictureType

Codec = Literal["h264", "vp8"]
CODECS: Final[tuple[Codec, ...]] = ("h264", "vp8")

Packet: TypeAlias = "av.Packet[av.VideoStream]"

CLOCK_RATE: Final = 90_000
TIME_BASE: Final = Fraction(1, CLOCK_RATE)

BEST_QP: Final = 18
"""The lowest quantiser of H.264 frames: a lower one makes no visible difference and costs bits in still scenes."""

QP_TO_LAMBDA: Final = 118
"""The factor of quantisers in libavcodec's quality statistics (FF_QP2LAMBDA)."""

KEYFRAME_FRAMES: Final = 3000
"""The longest distance between keyframes: 100 s at 30 fps. Usually a keyframe is sent when a player requests one."""

VP8_STEP: Final = 0.25
"""libvpx cannot change its bitrate at run time: a relative change of at least this restarts it, with a keyframe."""


class VideoEncoder:
    """An encoder for one codec. Not thread-safe."""

    def __init__(self, codec: Codec, width: int, height: int, fps: int, bitrate: int, max_bitrate: int) -> None:
        """Open the encoder; bitrates are in bits per second."""
        self.codec: Final = codec
        self._size = (width, height)
        self._fps = fps
        self._max_bitrate = max_bitrate
        self._bitrate = bitrate
        self._context = self._open()
        self.aim(bitrate)
        self.average_qp = 0.0
        """The quantiser, smoothed over about one second; 0 when the codec does not report it."""

    def _open(self) -> av.VideoCodecContext:
        match self.codec:
            case "h264":
                context = av.VideoCodecContext.create("libx264", "w")
                # The baseline profile, which browsers are offered, has no B-frames.
                context.profile = "Baseline"
                context.options = self._h264_options()
            case "vp8":
                context = av.VideoCodecContext.create("libvpx", "w")
                context.options = self._vp8_options()
            case _:
                assert_never(self.codec)
        context.width, context.height = self._size
        context.pix_fmt = "yuv420p"
        context.framerate = Fraction(self._fps)
        context.time_base = TIME_BASE
        context.bit_rate = self._max_bitrate if self.codec == "h264" else self._bitrate
        context.gop_size = KEYFRAME_FRAMES
        # One thread: a frame takes about one millisecond, and more threads would use more CPU.
        context.thread_count = 1
        context.open()
        return context

    def _h264_options(self) -> dict[str, str]:
        # x264 can change its bitrate only if it starts with a constant one, so it starts with the highest.
        return {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "forced-idr": "1",
            "qmin": str(BEST_QP),
            "maxrate": str(self._max_bitrate),
            "bufsize": str(self._max_bitrate // 4),
        }

    def _vp8_options(self) -> dict[str, str]:
        return {
            "deadline": "realtime",
            "cpu-used": "-8",
            "lag-in-frames": "0",
            "error-resilient": "default",
            "static-thresh": "1",
            "qmin": "12",
            "minrate": str(self._bitrate),
            "maxrate": str(self._bitrate),
            "bufsize": str(self._bitrate),
            "undershoot-pct": "100",
            "overshoot-pct": "15",
        }

    def aim(self, bitrate: int) -> None:
        """Set the bitrate in bits per second."""
        match self.codec:
            case "h264":
                # libavcodec passes the new bitrate to x264 with the next frame.
                self._context.bit_rate = self._bitrate = bitrate
            case "vp8":
                if abs(bitrate - self._bitrate) >= VP8_STEP * self._bitrate:
                    self._bitrate = bitrate
                    self._context = self._open()
            case _:
                assert_never(self.codec)

    def encode(self, frame: av.VideoFrame, *, keyframe: bool) -> list[Packet]:
        """Return the frame's packets: one, because the encoders buffer no frames."""
        frame.pict_type = PictureType.I if keyframe else PictureType.NONE
        packets: list[Packet] = [*self._context.encode(frame)]
        for packet in packets:
            self._update_quality(packet)
        return packets

    def _update_quality(self, packet: Packet) -> None:
        if packet.has_sidedata("quality_stats"):
            quality = int.from_bytes(bytes(packet.get_sidedata("quality_stats"))[:4], "little")
            self.average_qp += (quality / QP_TO_LAMBDA - self.average_qp) / self._fps
