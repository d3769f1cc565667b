#!/bin/sh
# For compatibility: k8s/configure.sh [path/to/.env] runs `pixelfleet configure`.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
env_file=${1:-.env}
[ $# -eq 0 ] || shift
pixelfleet=pixelfleet
command -v pixelfleet >/dev/null || pixelfleet=$folder/../.venv/bin/pixelfleet
exec "$pixelfleet" configure --folder "$folder" --env-file "$env_file" "$@"
