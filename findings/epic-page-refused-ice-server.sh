#!/usr/bin/env bash
# Expected: a page that cannot create its peer connection reports the failure (the library has the event
#   `webRtcFailed`), or continues with the ICE servers that the browser supports.
# Package and version: @epicgames-ps/lib-pixelstreamingfrontend-ue5.7 (npm) 0.3.1, in firefox-esr (Debian)
#   153.8.0esr-1~deb12u1.
# Seen: the server's `config` lists a STUN server over TLS (`stuns:`, RFC 7064) beside a plain one. The constructor in
#   Firefox throws, the library does not catch the error, and a second uncaught error follows. The library dispatches
#   no event, keeps its websocket open, stays black and does not try again. With the plain server alone it plays.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_epic

# visit_with ICE_SERVER_URL...: of the text of an uncaught error, only its name is printed.
visit_with() {
    echo "$*"
    visit_epic_page 80 firefox "$@" <<'JAVASCRIPT' | cut -d: -f1,2
stream();
await sleep(1);
const page = play(), events = [];
for (const name of ["webRtcConnected", "webRtcFailed", "webRtcDisconnected"])
  page.addEventListener(name, () => events.push(name));
await sleep(10);
await report("events", events.join(", ") || "none");
await report("plays", document.querySelector("video").videoWidth > 0);
JAVASCRIPT
}

compare "stun:localhost:3478
firefox, events: webRtcConnected
firefox, plays: True
stun:localhost:3478 stuns:localhost:5349
firefox, uncaught: NotSupportedError
firefox, uncaught: TypeError
firefox, events: none
firefox, plays: False" \
    "$(visit_with stun:localhost:3478; visit_with stun:localhost:3478 stuns:localhost:5349)"
