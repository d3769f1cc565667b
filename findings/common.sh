# shellcheck shell=bash
# Shared by the findings: a temporary folder, pinned public packages, and the comparison with the recorded output.
# A finding exits with 0 if the recorded behaviour is still there, 1 if it has changed, 2 if it could not be run.

name=$(basename "$0" .sh)
work=$(mktemp -d "/tmp/finding-$name.XXXXXX")
# shellcheck disable=SC2034  # read by the findings
python=$work/venv/bin/python
debian=$work/debian
started=()

finish() {
    local status=$? pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT

cannot_run() {
    echo "$name: cannot run: $1" >&2
    exit 2
}

# install_python NAME==VERSION...: a virtual environment of its own; its interpreter is "$python".
install_python() {
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@" >"$work/pip.log" 2>&1 ||
        cannot_run "pip install $*"
}

# install_node NAME@VERSION...: into "$work/node_modules".
install_node() {
    npm install --prefix "$work" --silent --no-audit --no-fund --no-package-lock "$@" >"$work/npm.log" 2>&1 ||
        cannot_run "npm install $*"
}

# install_debian NAME=VERSION...: the packages, and what they need beyond the installed system, unpacked into "$debian".
# The system itself is not changed.
install_debian() {
    local package packages=("$@")
    while read -r package; do
        [[ " $* " == *" $package="* ]] || packages+=("$package")
    done < <(apt-get install --simulate --no-install-recommends "$@" 2>/dev/null | awk '$1 == "Inst" { print $2 }')
    mkdir -p "$work/packages" "$debian"
    (cd "$work/packages" && apt-get download -qq "${packages[@]}" >apt.log 2>&1) ||
        cannot_run "apt-get download $* (apt-get update may be needed)"
    for package in "$work"/packages/*.deb; do
        dpkg-deb --extract "$package" "$debian"
    done
    rm -rf "$work/packages"
}

# start_redis: Debian's redis-server on the socket "$work/redis.sock", until the finding ends.
start_redis() {
    install_debian redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10
    # not with_debian: $! would be the shell that runs the function
    env LD_LIBRARY_PATH="$debian/usr/lib/x86_64-linux-gnu" \
        "$debian/usr/bin/redis-server" --port 0 --unixsocket "$work/redis.sock" --save "" >"$work/redis.log" &
    started+=($!)
}

# install_browsers [NAME==VERSION...]: Chromium and Firefox from Debian, and a Python that can import browser.py.
# shellcheck disable=SC2120  # most findings need no further package
install_browsers() {
    install_python aiohttp==3.14.5 "$@"
    install_debian chromium=156.0.8078.114-1~deb12u1 chromium-common=156.0.8078.114-1~deb12u1 \
        firefox-esr=153.8.0esr-1~deb12u1
    export DEBIAN=$debian
    export CHROMIUM=$debian/usr/lib/chromium/chromium FIREFOX=$debian/usr/lib/firefox-esr/firefox-esr
    PYTHONPATH=$(dirname "$0")
    export PYTHONPATH PYTHONDONTWRITEBYTECODE=1
}

# visit_page SECONDS BROWSER...: runs the script of the standard input in each browser (see browser.py), and prints its
# reports. A run that fails or takes longer prints fewer lines, which compare shows.
visit_page() {
    timeout "$1" "$python" "$(dirname "$0")/browser.py" "${@:2}" || true
}

# install_epic: the browsers, and Epic's page library of Unreal Engine 5.7 as "$work/files/library.js".
install_epic() {
    install_browsers
    install_node @epicgames-ps/lib-pixelstreamingfrontend-ue5.7@0.3.1 esbuild@0.28.2
    echo 'export * from "@epicgames-ps/lib-pixelstreamingfrontend-ue5.7";' >"$work/library.js"
    (cd "$work" && node_modules/.bin/esbuild library.js --bundle --format=iife --global-name=PixelStreaming \
        --outfile=files/library.js --log-level=error) || cannot_run esbuild
}

# visit_epic_page SECONDS BROWSER [ICE_SERVER_URL...]: the same with Epic's page library and a streamer (see epic.py).
visit_epic_page() {
    timeout "$1" "$python" "$(dirname "$0")/epic.py" "$work/files" "${@:2}" || true
}

# with_debian COMMAND...: runs a command with the unpacked shared libraries.
with_debian() {
    env LD_LIBRARY_PATH="$debian/usr/lib/x86_64-linux-gnu" "$@"
}

# compare RECORDED SEEN: the last line of each finding.
compare() {
    if [[ $1 != "$2" ]]; then
        echo "$name: changed" >&2
        diff --unified --label recorded --label seen <(echo "$1") <(echo "$2") >&2 || true
        exit 1
    fi
    echo "$name: as recorded"
}
