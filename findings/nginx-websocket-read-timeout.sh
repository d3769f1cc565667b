#!/usr/bin/env bash
# Expected: nginx ends a proxied websocket when its upstream sends nothing for `proxy_read_timeout`. The documentation
#   of the directive, and the one of proxied websockets, define the time by what the proxied server transmits.
# Package and version: nginx (Debian) 1.22.1-9+deb12u11; websockets (PyPI) 17.4 as client and upstream.
# Seen: data from the client renews the time as well. With a timeout of 2 s, an idle websocket ends. A websocket whose
#   client sends a message twice a second to an upstream that never answers is still open after 8 s. The timeout does
#   not detect an upstream that has stopped answering.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_python websockets==17.4
install_debian nginx=1.22.1-9+deb12u11 nginx-common=1.22.1-9+deb12u11

cat >"$work/run.py" <<'PYTHON'
import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

from websockets import ConnectionClosed
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

nginx, folder = sys.argv[1], Path(sys.argv[2])
CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_read_timeout 2s;
    }}
  }}
}}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


async def read_only(connection: ServerConnection) -> None:
    async for _ in connection:
        pass


async def outcome_of(port: int, *, talks: bool) -> str:
    async with connect(f"ws://127.0.0.1:{port}/", ping_interval=None, proxy=None) as client:
        began = time.monotonic()
        try:
            while time.monotonic() < began + 8:
                if talks:
                    await client.send("hello")
                try:
                    async with asyncio.timeout(0.5):
                        await client.recv()
                except TimeoutError:
                    pass
        except ConnectionClosed:
            return "closed"
        return "open after 8 s"


async def main() -> None:
    async with serve(read_only, "127.0.0.1", 0, ping_interval=None) as server:
        port, upstream = free_port(), server.sockets[0].getsockname()[1]
        (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port, upstream=upstream))
        process = subprocess.Popen([nginx, "-p", folder, "-c", folder / "nginx.conf"])
        try:
            await asyncio.sleep(2)
            print("idle:", await outcome_of(port, talks=False))
            print("the client talks, the upstream does not:", await outcome_of(port, talks=True))
        finally:
            process.terminate()
            process.wait()


asyncio.run(main())
PYTHON

compare "idle: closed
the client talks, the upstream does not: open after 8 s" \
    "$(with_debian timeout 60 "$python" "$work/run.py" "$debian/usr/sbin/nginx" "$work" 2>"$work/stderr")"
