#!/usr/bin/env bash
# Expected: a video track that a streamer adds without a MediaStream is shown. The stream is optional in WebRTC:
#   `addTrack(track)`, which gives "a=msid:-" in the offer.
# Package and version: @epicgames-ps/lib-pixelstreamingfrontend-ue5.7 (npm) 0.3.1, in chromium (Debian)
#   156.0.8078.114-1~deb12u1.
# Seen: the page connects, and its receiver decodes every frame. The video element gets no source and stays black,
#   without an error or an event, because the library ignores a track event that has no stream. With `addTrack(track,
#   stream)` the same streamer is shown.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_epic

visit_with_stream() {
    echo "stream($1)"
    visit_epic_page 80 chromium <<JAVASCRIPT
stream($1);
await sleep(1);
play();
await sleep(8);
const peer = peers.at(-1), video = document.querySelector("video");
const received = [...(await peer.getStats()).values()].find(({ type }) => type === "inbound-rtp");
await report("connection", peer.connectionState);
await report("decodes", received?.framesDecoded > 10);
await report("shows", video.videoWidth > 0);
JAVASCRIPT
}

compare "stream(true)
chromium, connection: connected
chromium, decodes: True
chromium, shows: True
stream(false)
chromium, connection: connected
chromium, decodes: True
chromium, shows: False" \
    "$(visit_with_stream true; visit_with_stream false)"
