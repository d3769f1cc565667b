#!/usr/bin/env bash
# Expected: a peer asks every TURN server of its configuration for a relayed address, as browsers do. A second server,
#   or a second URL with transport=tcp, is meant for networks in which the first cannot be reached.
# Package and version: aiortc (PyPI) 1.16.0; werift (npm) 0.25.2.
# Seen: both use only the first TURN URL and ignore the others without a warning or an error. Of three servers on
#   loopback, only the first receives anything, although it never answers.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_python aiortc==1.16.0
install_node werift@0.25.2

cat >"$work/gather.js" <<'JAVASCRIPT'
const { RTCPeerConnection } = require("werift");

(async () => {
  const peer = new RTCPeerConnection({ iceServers: JSON.parse(process.argv[2]) });
  peer.createDataChannel("data");
  await peer.setLocalDescription(await peer.createOffer());
  setTimeout(() => process.exit(0), 3000);
})();
JAVASCRIPT

cat >"$work/run.py" <<'PYTHON'
"""Three sockets that never answer stand for the TURN servers. They count as asked when a datagram arrives."""

import asyncio
import json
import sys

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection


class Server(asyncio.DatagramProtocol):
    asked = False

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.asked = True


async def gather_with_aiortc(servers: list[dict[str, str]]) -> None:
    peer = RTCPeerConnection(RTCConfiguration([RTCIceServer(**server) for server in servers]))
    peer.createDataChannel("data")
    try:
        async with asyncio.timeout(3):
            await peer.setLocalDescription(await peer.createOffer())
    except TimeoutError:
        pass
    await peer.close()


async def gather_with_werift(servers: list[dict[str, str]]) -> None:
    process = await asyncio.create_subprocess_exec("node", sys.argv[1], json.dumps(servers))
    await process.wait()


async def main() -> None:
    for name, gather in (("aiortc", gather_with_aiortc), ("werift", gather_with_werift)):
        loop = asyncio.get_running_loop()
        endpoints = [await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0)) for _ in range(3)]
        urls = ["turn:%s:%d" % transport.get_extra_info("sockname") for transport, _ in endpoints]
        await gather([{"urls": url, "username": "user", "credential": "pass"} for url in urls])
        print(name, "asks", [server.asked for _, server in endpoints])
        for transport, _ in endpoints:
            transport.close()


asyncio.run(main())
PYTHON

compare "aiortc asks [True, False, False]
werift asks [True, False, False]" \
    "$(NODE_PATH="$work/node_modules" timeout 60 "$python" "$work/run.py" "$work/gather.js" 2>"$work/stderr")"
