# shellcheck shell=sh
# Sourced by the other scripts: goes to the project's root and shows steps as they run.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
step_log=.build/step.$$.log
trap 'rm -f "$step_log"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# fail WORDS: the one line that says what is wrong and what to do about it.
fail() {
  printf '%s\n' "$*" >&2
  exit 2
}

# attempt COMMAND...: runs it with its output kept in $step_log.
attempt() {
  mkdir -p .build
  "$@" >"$step_log" 2>&1 </dev/null
}

# timed WORDS COMMAND...: shows WORDS, runs COMMAND silently, adds the seconds that it took.
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

# step WORDS COMMAND...: the same, and when COMMAND fails, so does the script: with what COMMAND had to say.
step() {
  if timed "$@"; then return; fi
  tail -n 30 "$step_log" >&2
  fail "$1: failed, see above"
}

# as_root COMMAND...: runs it with the right to install, and fails when there is no such right.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Whether packages of the system can be installed without asking anybody.
can_install() {
  command -v apt-get >/dev/null && as_root true 2>/dev/null
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"
}

# install_locked FILE [PIP OPTION...]: the packages of a lock file, as they are in it and nothing else.
install_locked() {
  install_file=$1
  shift
  .venv/bin/python -m pip install --no-input --progress-bar off --no-deps --require-hashes \
    --no-build-isolation --only-binary :all: "$@" -r "$install_file"
}
