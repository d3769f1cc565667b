"""RTCP feedback of a player's browser: requests for keyframes, and bandwidth estimates.

aiortc uses both for its own encoder per connection and has no events for them. Because the test streamer's encoder is
shared, this module replaces a private method of aiortc. Its tests fail if a later aiortc does not call that method.
"""

from collections.abc import Callable

from aiortc import RTCRtpSender
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    unpack_remb_fci,
)


def watch(sender: RTCRtpSender, keyframe: Callable[[], None], estimate: Callable[[int], None]) -> None:
    """Call `keyframe` when the player requests one, and `estimate` with the bits per second that it can receive."""
    handle = sender._handle_rtcp_packet  # noqa: SLF001 - see above

    async def intercept(packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpPsfbPacket):
            if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                keyframe()
            elif packet.fmt == RTCP_PSFB_APP:
                report(packet)
        await handle(packet)

    def report(packet: RtcpPsfbPacket) -> None:
        try:
            bitrate, _ = unpack_remb_fci(packet.fci)
        except ValueError:
            return
        estimate(bitrate)

    sender._handle_rtcp_packet = intercept  # type: ignore[method-assign]  # noqa: SLF001 - see above
