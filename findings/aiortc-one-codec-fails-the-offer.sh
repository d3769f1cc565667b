#!/usr/bin/env bash
# Expected: a peer that supports none of the codecs of one m-line rejects that line with port 0 in its answer (RFC
#   3264, section 6) and accepts the others. Firefox without an H.264 decoder does so.
# Package and version: aiortc (PyPI) 1.16.0.
# Seen: the offer has Opus audio, H.264 High profile video (640034, which hardware encoders offer) and a data channel.
#   aiortc supports only the baseline profiles with packetization mode 1. `setRemoteDescription` raises OperationError
#   for the whole description, so the audio and the data channel are lost with the video. With profile 42e01f the same
#   offer is accepted.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_python aiortc==1.16.0

cat >"$work/run.py" <<'PYTHON'
import asyncio
import re

from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.exceptions import OperationError


async def make_offer() -> str:
    """An offer of aiortc itself, with audio, H.264 video and a data channel."""
    peer = RTCPeerConnection()
    peer.addTransceiver("audio")
    video = peer.addTransceiver("video")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    video.setCodecPreferences([codec for codec in codecs if codec.parameters.get("profile-level-id") == "42e01f"])
    peer.createDataChannel("data")
    sdp = (await peer.createOffer()).sdp
    await peer.close()
    return sdp


async def outcome_of(offer: str) -> str:
    peer = RTCPeerConnection()
    try:
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        answer = await peer.createAnswer()
        return "accepts " + ", ".join(re.findall(r"^m=(\w+) [1-9]", answer.sdp, re.MULTILINE))
    except OperationError as error:
        return f"{type(error).__name__}: {error}"
    finally:
        await peer.close()


async def main() -> None:
    offer = await make_offer()
    for profile in ("42e01f", "640034"):
        print(profile, await outcome_of(offer.replace("42e01f", profile)))


asyncio.run(main())
PYTHON

compare "42e01f accepts audio, video, application
640034 OperationError: Failed to set remote video description send parameters" \
    "$(timeout 60 "$python" "$work/run.py")"
