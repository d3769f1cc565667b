"""The codecs that the test streamer offers, in the order of its preference."""

from aiortc import RTCRtpSender
from aiortc.codecs import is_rtx
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from teststreamer.encoder import CODECS, Codec


def video_codecs(first: Codec) -> list[RTCRtpCodecCapability]:
    """Return aiortc's video codecs with the preferred one first, and retransmission (RTX) last."""
    order = [first, *(codec for codec in CODECS if codec != first)]
    offered = RTCRtpSender.getCapabilities("video").codecs
    video = [codec for codec in offered if not is_rtx(codec)]
    video.sort(key=lambda codec: order.index(_codec(codec)))
    return [*video, *(codec for codec in offered if is_rtx(codec))]


def opus() -> list[RTCRtpCodecCapability]:
    """Return aiortc's capability for Opus, without its other audio codecs."""
    return [codec for codec in RTCRtpSender.getCapabilities("audio").codecs if codec.mimeType.lower() == "audio/opus"]


def _codec(capability: RTCRtpCodecCapability) -> Codec:
    return "h264" if capability.mimeType.lower() == "video/h264" else "vp8"
