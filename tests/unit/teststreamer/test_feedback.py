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


async def heard(*packets: AnyRtcpPacket) -> tuple[int, list[int]]:
    """Return how many keyframes were asked for, and the estimates that were given."""
    keyframes: list[None] = []
    estimates: list[int] = []
    connection = RTCPeerConnection()
    sender = connection.addTransceiver("video", direction="sendonly").sender
    watch(sender, lambda: keyframes.append(None), estimates.append)
    for packet in packets:
        await sender._handle_rtcp_packet(packet)
    await connection.close()
    return len(keyframes), estimates


async def test_keyframes_are_asked_for_in_two_ways() -> None:
    asked = [RtcpPsfbPacket(fmt=fmt, ssrc=1, media_ssrc=2) for fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR)]
    assert await heard(*asked) == (2, [])


async def test_an_estimate_of_the_network_is_given() -> None:
    fci = pack_remb_fci(1_500_000, [2])
    keyframes, (bitrate,) = await heard(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))
    assert keyframes == 0
    assert abs(bitrate - 1_500_000) < 15_000


async def test_reports_of_other_kinds_are_left_to_aiortc() -> None:
    nonsense = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=b"junk")
    assert await heard(RtcpByePacket(sources=[1]), nonsense) == (0, [])
