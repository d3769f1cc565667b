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

install_browsers
install_epic

cat >"$work/run.py" <<'PYTHON'
import asyncio
import sys
from pathlib import Path

from browser import visit
from epic import PAGE, SignallingServer

SCRIPT = """
<script>
(async () => {
  stream();
  await sleep(1);
  const page = play(), events = [];
  for (const name of ["webRtcConnected", "webRtcFailed", "webRtcDisconnected"])
    page.addEventListener(name, () => events.push(name));
  await sleep(10);
  await report("events", events.join(", ") || "none");
  await report("plays", document.querySelector("video").videoWidth > 0);
  finish();
})();
</script>"""

STUN = {"urls": ["stun:localhost:3478"]}
STUNS = {"urls": ["stuns:localhost:5349"]}
for label, ice_servers in (("stun", [STUN]), ("stun and stuns", [STUN, STUNS])):
    routes = SignallingServer(ice_servers).routes
    for name, value in asyncio.run(visit("firefox", PAGE + SCRIPT, routes, Path(sys.argv[1]))):
        print(f"{label}: {name}: {str(value).split(':')[0]}")
PYTHON

compare "stun: events: webRtcConnected
stun: plays: True
stun and stuns: uncaught: NotSupportedError
stun and stuns: uncaught: TypeError
stun and stuns: events: none
stun and stuns: plays: False" \
    "$(timeout 150 "$python" "$work/run.py" "$work/files")"
