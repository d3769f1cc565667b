#!/usr/bin/env bash
# Expected: `blpop(key, timeout=6)` on an empty list returns None after six seconds.
# Package and version: redis (PyPI) 8.1.0, all settings at their defaults; redis-server (Debian) 5:7.0.15-1~deb12u10.
# Seen: the default socket timeout of 5 s is shorter. The client drops the connection one second before the server
#   answers, and sends the command again on a new one, ten times. After almost a minute it raises TimeoutError; it
#   never returns None. With `timeout=4` the call returns None after 4 s. `socket_timeout=None` avoids the error.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_python redis==8.1.0
start_redis

cat >"$work/run.py" <<'PYTHON'
import sys
import time

import redis

client = redis.Redis(unix_socket_path=sys.argv[1])
client.ping()
for timeout in (4, 6):
    began = time.monotonic()
    try:
        outcome = repr(client.blpop("empty", timeout=timeout))
    except redis.TimeoutError:
        outcome = "TimeoutError"
    seconds = time.monotonic() - began
    print(f"timeout={timeout}: {outcome}, after more than 50 s: {seconds > 50}")
PYTHON

compare "timeout=4: None, after more than 50 s: False
timeout=6: TimeoutError, after more than 50 s: True" \
    "$(timeout 120 "$python" "$work/run.py" "$work/redis.sock")"
