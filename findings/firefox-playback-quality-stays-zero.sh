#!/usr/bin/env bash
# Expected: `video.getVideoPlaybackQuality().totalVideoFrames` counts the frames that a video element has presented or
#   dropped, whatever its source. A page can use it to detect that a stream plays.
# Package and version: firefox-esr (Debian) 153.8.0esr-1~deb12u1, compared with chromium (Debian)
#   156.0.8078.114-1~deb12u1.
# Seen: a WebRTC stream plays, the time of the element advances, the receiver reports decoded frames, and
#   totalVideoFrames is still 0 in Firefox. In Chromium it grows. `getStats()` works in both.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_browsers

seen=$(visit_page 150 chromium firefox <<'JAVASCRIPT'
document.body.innerHTML = `<canvas id="canvas" width="320" height="240"></canvas>
  <video id="video" muted autoplay playsinline></video>`;
const context = canvas.getContext("2d");
setInterval(() => {
  context.fillStyle = `hsl(${performance.now() % 360} 80% 50%)`;
  context.fillRect(0, 0, 320, 240);
}, 40);
const sender = new RTCPeerConnection(), receiver = new RTCPeerConnection();
sender.onicecandidate = ({ candidate }) => receiver.addIceCandidate(candidate);
receiver.onicecandidate = ({ candidate }) => sender.addIceCandidate(candidate);
receiver.ontrack = ({ streams }) => { video.srcObject = streams[0]; };
const stream = canvas.captureStream(25);
sender.addTrack(stream.getTracks()[0], stream);
await sender.setLocalDescription();
await receiver.setRemoteDescription(sender.localDescription);
await receiver.setLocalDescription();
await sender.setRemoteDescription(receiver.localDescription);
await sleep(6);
const received = [...(await receiver.getStats()).values()].find(({ type }) => type === "inbound-rtp");
await report("element plays", video.currentTime > 1);
await report("frames decoded", received.framesDecoded > 10);
await report("totalVideoFrames is 0", video.getVideoPlaybackQuality().totalVideoFrames === 0);
JAVASCRIPT
)

compare "chromium, element plays: True
chromium, frames decoded: True
chromium, totalVideoFrames is 0: False
firefox, element plays: True
firefox, frames decoded: True
firefox, totalVideoFrames is 0: True" "$seen"
