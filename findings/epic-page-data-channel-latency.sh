#!/usr/bin/env bash
# Expected: `requestDataChannelLatencyTest()` returns true and sends DataChannelLatencyTest messages to the streamer.
# Package and version: @epicgames-ps/lib-pixelstreamingfrontend-ue5.7 (npm) 0.3.1, in chromium (Debian)
#   156.0.8078.114-1~deb12u1.
# Seen: it returns true and sends nothing: each message ends in an uncaught TypeError, because the library calls a handler
#   that it has never registered. `requestLatencyTest()` sends its message on the same channel.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_epic

seen=$(visit_epic_page 90 chromium <<'JAVASCRIPT' | uniq
const sent = [];
const send = RTCDataChannel.prototype.send;
RTCDataChannel.prototype.send = function (data) {
  sent.push(new Uint8Array(data.buffer ?? data)[0]);
  return send.call(this, data);
};
const LATENCY_TEST = 6, DATA_CHANNEL_LATENCY_TEST = 9;
stream();
await sleep(1);
const page = play();
await sleep(6);
await report("requestLatencyTest", page.requestLatencyTest());
await sleep(1);
await report("sent", sent.includes(LATENCY_TEST));
const started = page.requestDataChannelLatencyTest({ duration: 1000, rps: 10, requestSize: 200, responseSize: 200 });
await report("requestDataChannelLatencyTest", started);
await sleep(3);
await report("sent", sent.includes(DATA_CHANNEL_LATENCY_TEST));
JAVASCRIPT
)

compare "chromium, requestLatencyTest: True
chromium, sent: True
chromium, requestDataChannelLatencyTest: True
chromium, uncaught: Uncaught TypeError: this.streamMessageController.toStreamerHandlers.get(...) is not a function
chromium, sent: False" "$seen"
