#!/usr/bin/env bash
# Expected: a peer may add its tracks in any order before it answers. The transceivers are matched to the m-lines of the
#   offer by their kind (JSEP, RFC 9429, section 5.10), and the answer has candidates, whichever was added first.
# Package and version: aiortc (PyPI) 1.16.0.
# Seen: with the bundle policy max-bundle, the answer has candidates only if the tracks were added in the order of the
#   m-lines. Otherwise it has none, port 9 in each m-line, and the connection is never established; no error is raised.
#   With the policy balanced, which is the default, both orders work. Browsers that offer to receive audio and video put
#   the audio first, so a program that adds its video first meets this with them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_python aiortc==1.16.0

cat >"$work/run.py" <<'PYTHON'
import asyncio

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection


async def has_candidates(policy: RTCBundlePolicy, order: list[str]) -> bool:
    """Whether the answer to an offer of audio and video has candidates, with tracks that were added in this order."""
    configuration = RTCConfiguration(iceServers=[], bundlePolicy=policy)
    offering, answering = RTCPeerConnection(configuration), RTCPeerConnection(configuration)
    for kind in ("audio", "video"):
        offering.addTransceiver(kind, direction="recvonly")
    for kind in order:
        answering.addTransceiver(kind, direction="sendonly")
    await offering.setLocalDescription(await offering.createOffer())
    await answering.setRemoteDescription(offering.localDescription)
    await answering.setLocalDescription(await answering.createAnswer())
    found = "a=candidate:" in answering.localDescription.sdp
    await offering.close()
    await answering.close()
    return found


async def main() -> None:
    for policy in (RTCBundlePolicy.MAX_BUNDLE, RTCBundlePolicy.BALANCED):
        for order in (["audio", "video"], ["video", "audio"]):
            outcome = "candidates" if await has_candidates(policy, order) else "no candidates"
            print(f"{policy.value}, {' then '.join(order)}: {outcome}")


asyncio.run(main())
PYTHON

compare "max-bundle, audio then video: candidates
max-bundle, video then audio: no candidates
balanced, audio then video: candidates
balanced, video then audio: candidates" \
    "$(timeout 60 "$python" "$work/run.py")"
