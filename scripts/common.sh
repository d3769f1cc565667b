# shellcheck shell=sh
# Sourced by the other scripts: changes to the project's root and defines functions that show steps as they run.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
step_log=.build/step.$$.log
trap 'rm -f "$step_log"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# fail WORDS: prints one line with the error and its remedy, and exits.
fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

# attempt COMMAND...: runs it, with its output in $step_log.
attempt() {
  mkdir -p .build
  "$@" >"$step_log" 2>&1 </dev/null
}

# timed WORDS COMMAND...: shows WORDS, runs COMMAND silently, and appends the seconds that it took.
timed() {
  timed_words=$1
  shift
  timed_from=$(date +%s)
  printf '%s ... ' "$timed_words"
  if attempt "$@"; then
    printf '%s s\n' $(($(date +%s) - timed_from))
  else
    printf 'failed\n'
    return 1
  fi
}

# step WORDS COMMAND...: the same; when COMMAND fails, the script prints its output and exits.
step() {
  if timed "$@"; then return; fi
  tail -n 30 "$step_log" >&2
  fail "$1: failed, see above"
}

# as_root COMMAND...: runs it as root, with sudo if needed, and fails without that privilege.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Whether system packages can be installed without a prompt.
can_install() {
  command -v apt-get >/dev/null && as_root true 2>/dev/null
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"
}

# install_locked FILE [PIP OPTION...]: installs exactly the packages of a lock file.
install_locked() {
  install_file=$1
  shift
  .venv/bin/python -m pip install --no-input --progress-bar off --no-deps --require-hashes \
    --no-build-isolation --only-binary :all: "$@" -r "$install_file"
}
