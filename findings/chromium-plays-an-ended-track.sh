#!/usr/bin/env bash
# Expected: a video element reports "loadeddata" and "playing" after it has received a frame. A track that ends without
#   a frame reports neither, and videoWidth stays 0.
# Package and version: chromium (Debian) 156.0.8078.114-1~deb12u1, firefox-esr 153.8.0esr-1~deb12u1.
# Seen: when a peer connection that never had a path is closed, Chromium gives its video element a picture of 2x2
#   pixels and reports "loadeddata" and "playing". Firefox reports neither. A page that takes "playing" for the first
#   frame shows a black picture as video. Whether the track is live tells the two apart.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_browsers

seen=$(visit_page 150 chromium firefox <<'JAVASCRIPT'
const video = document.createElement("video");
video.muted = video.autoplay = true;
document.body.append(video);
for (const name of ["loadeddata", "playing"]) {
  video.addEventListener(name, () => {
    const [track] = video.srcObject.getVideoTracks();
    report(name, `${video.videoWidth}x${video.videoHeight}, track ${track.readyState}`);
  });
}
const sender = new RTCPeerConnection();
const canvas = document.createElement("canvas");
canvas.getContext("2d");
sender.addTrack(canvas.captureStream(30).getTracks()[0], new MediaStream());
const receiver = new RTCPeerConnection();
receiver.addEventListener("track", ({ track }) => { video.srcObject = new MediaStream([track]); });
// No candidate is exchanged, so there is never a path.
await sender.setLocalDescription();
await receiver.setRemoteDescription(sender.localDescription);
await receiver.setLocalDescription();
await sender.setRemoteDescription(receiver.localDescription);
await sleep(2);
await report("width before the close", video.videoWidth);
receiver.close();
await sleep(2);
await report("width after the close", video.videoWidth);
JAVASCRIPT
)

compare "chromium, width before the close: 0
chromium, loadeddata: 2x2, track ended
chromium, playing: 2x2, track ended
chromium, width after the close: 2
firefox, width before the close: 0
firefox, width after the close: 0" "$seen"
