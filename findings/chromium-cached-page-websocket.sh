#!/usr/bin/env bash
# Expected: when the user leaves a page, its websocket ends, and the server receives close code 1001 at once. As long
#   as pings are answered, the page is open.
# Package and version: chromium (Debian) 156.0.8078.114-1~deb12u1.
# Seen: Chromium keeps the page in its back/forward cache with the websocket open. The browser answers every ping for
#   a page whose scripts do not run. When the page is shown again, it receives close code 1006 and the server 1001. A
#   server that reserves something for a waiting page needs an answer from the page's script, not a pong.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_browsers

cat >"$work/run.py" <<'PYTHON'
import asyncio

from aiohttp import WSMsgType, web
from browser import visit

PAGE = """
<script>
const socket = new WebSocket(`ws://${location.host}/socket`);
socket.onopen = () => setTimeout(() => { location.href = "/elsewhere"; }, 1000);
socket.onclose = ({ code }) => report("page receives", code);
addEventListener("pagehide", ({ persisted }) => report("page is kept", persisted));
addEventListener("pageshow", ({ persisted }) => { if (persisted) setTimeout(finish, 2000); });
</script>"""
ELSEWHERE = """<script>
fetch("/left");
setTimeout(() => history.back(), 6000);
</script>"""


class Server:
    left = False
    pongs_since = 0
    code: int | None = None

    async def serve_socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        pinging = asyncio.create_task(self.ping(socket))
        async for message in socket:
            if message.type is WSMsgType.PONG and self.left:
                self.pongs_since += 1
        pinging.cancel()
        self.code = socket.close_code
        return socket

    async def ping(self, socket: web.WebSocketResponse) -> None:
        while True:
            await socket.ping()
            await asyncio.sleep(1)

    async def serve_elsewhere(self, request: web.Request) -> web.Response:
        return web.Response(text=ELSEWHERE, content_type="text/html")

    async def note_leaving(self, request: web.Request) -> web.Response:
        self.left = True
        return web.Response()


server = Server()
routes = {"/socket": server.serve_socket, "/elsewhere": server.serve_elsewhere, "/left": server.note_leaving}
for name, value in asyncio.run(visit("chromium", PAGE, routes)):
    print(f"{name}: {value}")
print("at least 4 pings answered while the user was elsewhere:", server.pongs_since >= 4)
print("server receives:", server.code)
PYTHON

compare "page is kept: True
page receives: 1006
at least 4 pings answered while the user was elsewhere: True
server receives: 1001" \
    "$(timeout 90 "$python" "$work/run.py")"
