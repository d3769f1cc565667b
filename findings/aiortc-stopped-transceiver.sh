#!/usr/bin/env bash
# Expected: after a libwebrtc peer stops a transceiver, its next offer has that m-line with port 0, outside the BUNDLE
#   group. The answer rejects the line too, and both peers continue with the rest.
# Package and version: @roamhq/wrtc (npm) 0.10.0, which is libwebrtc in Node; aiortc (PyPI) 1.16.0.
# Seen: aiortc ignores the port. Its answer opens the line again and puts it back into the BUNDLE group. libwebrtc
#   refuses that answer, so every later negotiation of the connection fails. The first negotiation, before the stop,
#   succeeds.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_python aiortc==1.16.0
install_node @roamhq/wrtc@0.10.0

# answers each line of JSON, an offer, with a line of JSON, the answer
cat >"$work/answerer.py" <<'PYTHON'
import asyncio
import json
import sys

from aiortc import RTCPeerConnection, RTCSessionDescription


async def main() -> None:
    peer = RTCPeerConnection()
    while line := await asyncio.to_thread(sys.stdin.readline):
        await peer.setRemoteDescription(RTCSessionDescription(json.loads(line), "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        print(json.dumps(peer.localDescription.sdp), flush=True)
    await peer.close()


asyncio.run(main())
PYTHON

cat >"$work/offerer.js" <<'JAVASCRIPT'
const { spawn } = require("child_process");
const { createInterface } = require("readline");
const { RTCPeerConnection } = require("@roamhq/wrtc");

const [python, script] = process.argv.slice(2);
const answerer = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: answerer.stdout })[Symbol.asyncIterator]();

const audioOf = (sdp) => `audio ${/^m=audio 0/m.test(sdp) ? "rejected" : "open"}`;
const bundleOf = (sdp) => sdp.match(/^a=group:(BUNDLE.*)$/m)[1].trim();

async function negotiate(peer, label) {
  await peer.setLocalDescription(await peer.createOffer());
  const offer = peer.localDescription.sdp;
  answerer.stdin.write(JSON.stringify(offer) + "\n");
  const answer = JSON.parse((await lines.next()).value);
  console.log(`${label}: offer: ${audioOf(offer)}, ${bundleOf(offer)}`);
  console.log(`${label}: answer: ${audioOf(answer)}, ${bundleOf(answer)}`);
  await peer.setRemoteDescription({ type: "answer", sdp: answer }).then(
    () => console.log(`${label}: answer accepted`),
    () => console.log(`${label}: answer refused`),
  );
}

(async () => {
  const peer = new RTCPeerConnection();
  const audio = peer.addTransceiver("audio");
  peer.addTransceiver("video");
  await negotiate(peer, "first");
  audio.stop();
  await negotiate(peer, "after stop()");
  peer.close();
  answerer.stdin.end();
})();
JAVASCRIPT

compare "first: offer: audio open, BUNDLE 0 1
first: answer: audio open, BUNDLE 0 1
first: answer accepted
after stop(): offer: audio rejected, BUNDLE 1
after stop(): answer: audio open, BUNDLE 0 1
after stop(): answer refused" \
    "$(NODE_PATH="$work/node_modules" timeout 60 node "$work/offerer.js" "$python" "$work/answerer.py")"
