"""What a player's browser reports about the video: it needs a keyframe, or its network carries only so much.

aiortc keeps both for the encoder that it makes for each connection, and has no event for either. Since ours is shared,
and outside of it, the reports have to be heard on their way in: this is the one place that reaches into aiortc, and its
tests fail if an aiortc to come does not call in there any more.
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
    """Call `keyframe` when the player asks for one, and `estimate` with the bits a second that it can receive."""
    handle = sender._handle_rtcp_packet  # noqa: SLF001 - see above

    async def overhear(packet: AnyRtcpPacket) -> None:
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

    sender._handle_rtcp_packet = overhear  # type: ignore[method-assign]  # noqa: SLF001 - see above
