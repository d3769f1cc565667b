#!/usr/bin/env bash
# Expected: `cjson.encode` in a script writes a number as it is. Times in microseconds, as the command TIME gives
#   them, have 16 digits, and a Lua number holds them exactly.
# Package and version: redis-server (Debian) 5:7.0.15-1~deb12u10 and fakeredis (PyPI) 2.40.0 with lupa 2.8, both
#   through redis (PyPI) 8.1.0.
# Seen: Redis writes 14 significant digits: 1700000000123456 becomes 1.7000000001235e+15. The same number as an
#   argument of `redis.call` is written in full. fakeredis writes all digits in both cases, so a test on fakeredis
#   does not detect the loss. The two also differ on an empty table: {} in Redis, [] in fakeredis.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

install_python fakeredis==2.40.0 lupa==2.8 redis==8.1.0
start_redis

cat >"$work/run.py" <<'PYTHON'
import sys

import fakeredis
import redis

SCRIPTS = {
    "in JSON": "return cjson.encode({at = tonumber(ARGV[1])})",
    "in a command": "redis.call('SET', 'at', tonumber(ARGV[1])) return redis.call('GET', 'at')",
    "empty table in JSON": "return cjson.encode({})",
}
CLIENTS = {"redis": redis.Redis(unix_socket_path=sys.argv[1]), "fakeredis": fakeredis.FakeRedis()}
for name, client in CLIENTS.items():
    for label, script in SCRIPTS.items():
        print(f"{name}, {label}: {client.eval(script, 0, 1700000000123456).decode()}")
PYTHON

compare 'redis, in JSON: {"at":1.7000000001235e+15}
redis, in a command: 1700000000123456
redis, empty table in JSON: {}
fakeredis, in JSON: {"at":1700000000123456}
fakeredis, in a command: 1700000000123456
fakeredis, empty table in JSON: []' \
    "$(timeout 60 "$python" "$work/run.py" "$work/redis.sock")"
