#!/usr/bin/env bash
# Expected: `reconnect()` ends the present connection and makes a new one. `disconnect()` then ends that one.
# Package and version: @epicgames-ps/lib-pixelstreamingfrontend-ue5.7 (npm) 0.3.1, in chromium (Debian)
#   156.0.8078.114-1~deb12u1.
# Seen: `reconnect()` replaces the websocket and negotiates a second peer connection, but never closes the first. Both
#   stay connected, and the first continues to receive and decode a stream that is not shown. `disconnect()` closes
#   only the second.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_epic

seen=$(visit_epic_page 90 chromium <<'JAVASCRIPT'
const connected = () => peers.filter((peer) => peer.connectionState === "connected");
const decoded = async (peer) => {
  const received = [...(await peer.getStats()).values()].find(({ type }) => type === "inbound-rtp");
  return received.framesDecoded;
};
stream();
await sleep(1);
const page = play();
await sleep(6);
const [first] = connected();
page.reconnect();
await sleep(6);
await report("after reconnect()", connected().length);
const before = await decoded(first);
await sleep(2);
await report("the first still decodes", (await decoded(first)) > before);
page.disconnect();
await sleep(2);
await report("after disconnect()", connected().length);
JAVASCRIPT
)

compare "chromium, after reconnect(): 2
chromium, the first still decodes: True
chromium, after disconnect(): 1" "$seen"
