#!/usr/bin/env bash
# Expected: one call of `incr()` that returns without an error adds one. If the reply is lost, the call raises
#   ConnectionError, because the command is not idempotent.
# Package and version: redis (PyPI) 8.1.0, all settings at their defaults; redis-server (Debian) 5:7.0.15-1~deb12u10.
# Seen: the connection ends after the server has executed INCR and before its reply arrives. The client connects
#   again, repeats INCR, and returns 2 for the only call of the program. `retry=None` disables the repetition.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_python redis==8.1.0
start_redis

cat >"$work/run.py" <<'PYTHON'
import socket
import sys
import threading

import redis

server = sys.argv[1]
losing = threading.Event()


def relay(client: socket.socket) -> None:
    """Relays commands and replies. Once, it ends the connection instead of relaying the reply of INCR."""
    with client, socket.socket(socket.AF_UNIX) as upstream:
        upstream.connect(server)
        while command := client.recv(65536):
            upstream.sendall(command)
            reply = upstream.recv(65536)
            if b"INCR" in command and losing.is_set():
                losing.clear()
                return
            client.sendall(reply)


def accept(listener: socket.socket) -> None:
    while True:
        threading.Thread(target=relay, args=(listener.accept()[0],), daemon=True).start()


redis.Redis(unix_socket_path=server).ping()
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=accept, args=(listener,), daemon=True).start()
port = listener.getsockname()[1]

for name, options in (("defaults", {}), ("retry=None", {"retry": None})):
    losing.set()
    try:
        outcome = str(redis.Redis(port=port, **options).incr(name))
    except redis.ConnectionError:
        outcome = "ConnectionError"
    stored = redis.Redis(unix_socket_path=server).get(name)
    print(f"{name}: incr() returned {outcome}, the server has {stored}")
PYTHON

compare "defaults: incr() returned 2, the server has b'2'
retry=None: incr() returned ConnectionError, the server has b'1'" \
    "$(timeout 60 "$python" "$work/run.py" "$work/redis.sock")"
