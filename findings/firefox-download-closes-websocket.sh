#!/usr/bin/env bash
# Expected: a link to a download, or to an address that answers 204 No Content, leaves the page as it is. Its
#   websocket stays open, as in Chromium.
# Package and version: firefox-esr (Debian) 153.8.0esr-1~deb12u1, compared with chromium (Debian)
#   156.0.8078.114-1~deb12u1; websockets (PyPI) 17.4 as the server.
# Seen: Firefox closes the page's websocket with code 1001 ("going away") as soon as the navigation begins. The page
#   stays, its scripts continue to run, and the websocket stays closed. A server that treats 1001 as a closed tab ends
#   the session of a user who downloaded a file.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_browsers websockets==17.4

cat >"$work/run.py" <<'PYTHON'
import asyncio

from aiohttp import web
from browser import visit
from websockets.asyncio.server import ServerConnection, serve

PAGE = """
<script>
const socket = new WebSocket("ws://127.0.0.1:PORT/");
let code = null;
socket.onclose = (event) => { code = event.code; };
socket.onopen = async () => {
  await sleep(1);
  location.href = "/PATH";
  await sleep(3);
  await report("page runs on, its websocket", code === null ? "is open" : `was closed with ${code}`);
  finish();
};
</script>"""


async def serve_download(request: web.Request) -> web.Response:
    return web.Response(body=b"content", headers={"Content-Disposition": "attachment; filename=file.bin"})


async def serve_nothing(request: web.Request) -> web.Response:
    return web.Response(status=204)


async def wait(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def main() -> None:
    async with serve(wait, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for browser in ("chromium", "firefox"):
            for path in ("download", "nothing"):
                page = PAGE.replace("PORT", str(port)).replace("PATH", path)
                for name, value in await visit(browser, page, {"/download": serve_download, "/nothing": serve_nothing}):
                    print(f"{browser}, {path}: {name} {value}")


asyncio.run(main())
PYTHON

compare "chromium, download: page runs on, its websocket is open
chromium, nothing: page runs on, its websocket is open
firefox, download: page runs on, its websocket was closed with 1001
firefox, nothing: page runs on, its websocket was closed with 1001" \
    "$(timeout 240 "$python" "$work/run.py")"
