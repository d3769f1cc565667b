#!/usr/bin/env bash
# Expected: a list of ICE servers that one browser accepts works in all of them. A URL that a browser does not support
#   makes that one server useless, not the whole list.
# Package and version: firefox-esr (Debian) 153.8.0esr-1~deb12u1, compared with chromium (Debian)
#   156.0.8078.114-1~deb12u1.
# Seen: for these valid URLs (RFC 7064, RFC 7065) the constructor of RTCPeerConnection throws in Firefox and works in
#   Chromium: the scheme stuns; TURN on a port that Firefox blocks for web pages, such as 5061 and 10080, while 443 is
#   accepted; a transport in capitals. One such URL beside a good one makes the whole list unusable.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_browsers

seen=$(visit_page 150 chromium firefox <<'JAVASCRIPT'
const urls = ["turn:localhost:443", "stuns:localhost", "turn:localhost:5061", "turn:localhost:10080",
  "turn:localhost?transport=UDP"];
for (const url of urls) {
  let outcome = "works";
  try {
    new RTCPeerConnection({ iceServers: [
      { urls: "turn:localhost:3478", username: "user", credential: "pass" },
      { urls: url, username: "user", credential: "pass" },
    ] }).close();
  } catch (error) {
    outcome = error.name;
  }
  await report(url, outcome);
}
JAVASCRIPT
)

compare "chromium, turn:localhost:443: works
chromium, stuns:localhost: works
chromium, turn:localhost:5061: works
chromium, turn:localhost:10080: works
chromium, turn:localhost?transport=UDP: works
firefox, turn:localhost:443: works
firefox, stuns:localhost: NotSupportedError
firefox, turn:localhost:5061: SyntaxError
firefox, turn:localhost:10080: SyntaxError
firefox, turn:localhost?transport=UDP: SyntaxError" "$seen"
