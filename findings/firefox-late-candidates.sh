#!/usr/bin/env bash
# Expected: with trickle ICE, candidates may arrive late. RFC 8863 requires a minimum time before a peer fails, even
#   without any candidate, and recommends 39.5 s.
# Package and version: firefox-esr (Debian) 153.8.0esr-1~deb12u1, compared with chromium (Debian)
#   156.0.8078.114-1~deb12u1.
# Seen: Firefox fails about 5 s after the answer. `iceConnectionState` becomes "failed", and candidates that arrive
#   later are accepted without an error and have no effect. Chromium stays in "new" and connects when they arrive,
#   here after 8 s.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_browsers

seen=$(visit_page 150 chromium firefox <<'JAVASCRIPT'
const peers = [new RTCPeerConnection(), new RTCPeerConnection()];
const candidates = [[], []];
peers.forEach((peer, which) => {
  peer.onicecandidate = ({ candidate }) => { if (candidate) candidates[1 - which].push(candidate); };
});
const [offerer, answerer] = peers;
offerer.createDataChannel("data");
const offer = await offerer.createOffer();
await offerer.setLocalDescription(offer);
await answerer.setRemoteDescription(offer);
const answer = await answerer.createAnswer();
await answerer.setLocalDescription(answer);
await offerer.setRemoteDescription(answer);
await sleep(8);
await report("after 8 s without candidates", answerer.iceConnectionState);
for (const which of [0, 1])
  for (const candidate of candidates[which])
    await peers[which].addIceCandidate(candidate).catch((error) => report("candidate refused", String(error)));
await sleep(4);
await report("4 s after the candidates", answerer.iceConnectionState.replace("completed", "connected"));
JAVASCRIPT
)

compare "chromium, after 8 s without candidates: new
chromium, 4 s after the candidates: connected
firefox, after 8 s without candidates: failed
firefox, 4 s after the candidates: failed" "$seen"
