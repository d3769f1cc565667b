#!/usr/bin/env bash
# Expected: a script that assigns a global variable fails, and the next script runs. Redis refuses the assignment
#   itself, so it has no effect.
# Package and version: fakeredis (PyPI) 2.40.0 with lupa 2.8; compared with redis-server (Debian) 5:7.0.15-1~deb12u10
#   through redis (PyPI) 8.1.0.
# Seen: fakeredis reports the assignment too, but the variable stays set. From then on every script of that fake
#   server fails with the same error, however correct it is. In a test suite that shares the server, tests without a
#   fault fail.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_python fakeredis==2.40.0 lupa==2.8 redis==8.1.0
start_redis

cat >"$work/run.py" <<'PYTHON'
import sys

import fakeredis
import redis

CORRECT = "return redis.call('PING').ok"
MISPLACED = "total = 1 return total"

CLIENTS = {"redis": redis.Redis(unix_socket_path=sys.argv[1]), "fakeredis": fakeredis.FakeRedis()}
for name, client in CLIENTS.items():
    for label, script in (("correct", CORRECT), ("misplaced", MISPLACED), ("correct again", CORRECT)):
        try:
            outcome = repr(client.eval(script, 0))
        except redis.ResponseError as error:
            expected = "global" in str(error) or "readonly table" in str(error)
            outcome = "error about global variables" if expected else str(error)
        print(f"{name}, {label}: {outcome}")
PYTHON

compare "redis, correct: b'PONG'
redis, misplaced: error about global variables
redis, correct again: b'PONG'
fakeredis, correct: b'PONG'
fakeredis, misplaced: error about global variables
fakeredis, correct again: error about global variables" \
    "$(timeout 60 "$python" "$work/run.py" "$work/redis.sock")"
