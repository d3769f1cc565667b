"""The reports of a player's browser."""

from aiortc import RTCPeerConnection
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    pack_remb_fci,
)

from teststreamer.feedback import watch


async def received(*packets: AnyRtcpPacket) -> tuple[int, list[int]]:
    """Return the number of requested keyframes, and the estimates."""
    keyframes: list[None] = []
    estimates: list[int] = []
    connection = RTCPeerConnection()
    sender = connection.addTransceiver("video", direction="sendonly").sender
    watch(sender, lambda: keyframes.append(None), estimates.append)
    for packet in packets:
        await sender._handle_rtcp_packet(packet)
    await connection.close()
    return len(keyframes), estimates


async def test_both_kinds_of_keyframe_requests_are_noticed() -> None:
    asked = [RtcpPsfbPacket(fmt=fmt, ssrc=1, media_ssrc=2) for fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR)]
    assert await received(*asked) == (2, [])


async def test_a_bandwidth_estimate_is_noticed() -> None:
    fci = pack_remb_fci(1_500_000, [2])
    keyframes, (bitrate,) = await received(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))
    assert keyframes == 0
    assert abs(bitrate - 1_500_000) < 15_000


async def test_other_rtcp_packets_are_left_to_aiortc() -> None:
    nonsense = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=b"junk")
    assert await received(RtcpByePacket(sources=[1]), nonsense) == (0, [])
