"""The cost of an accepted player for a router: CPU time from the connection to the first message of the upstream.

    python -m benchmarks.accept [--against CHECKOUT] [--rounds 5] [--players 1000] [--check]

In every round each router accepts the same number of players, in a fresh process and in alternating order: once with
the default settings, and once with `--auth link`, where every player has a signed link of its own. A stand-in for a
matchmaker sends a first message to each player. With `--against` the other router is that of another checkout of this
project, run in that checkout's .venv; otherwise it is a proxy without features, the floor. `--check` exits with 1
when the median of the rounds' ratios misses the goal against the other checkout.
"""

import argparse
import asyncio
import secrets
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import orjson
import uvloop
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_connect,
    ws_create_server,
)

from benchmarks.figures import record
from benchmarks.processes import StartError, cpu_seconds
from benchmarks.proxies import started
from pixelfleet.auth.links import SignedLink, sign

ROOT: Final = Path(__file__).parents[1]
HOST: Final = "127.0.0.1"
JOIN_SECONDS: Final = 60.0
AT_ONCE: Final = 20
"""Players that connect simultaneously."""
WARM_UP: Final = 100
"""Players before the measurement, for which objects are created that later ones reuse."""
GOALS: Final = {"none": 0.5}
"""By authentication method; the verification of a link is not part of the handshake, and is measured separately."""
AUTHS: Final = ("none", "link")
GREETING: Final = orjson.dumps({"type": "config", "peerConnectionOptions": {}, "protocolVersion": "1.3.0"})
HEADERS: Final = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0",
    "Pragma": "no-cache",
    "Cache-Control": "no-cache",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-US,en;q=0.9",
    "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
}
"""Headers of Chrome in addition to those of the handshake."""


class Matchmaker(WSListener):
    """Accepts each player and sends it a message."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, GREETING)


class Player(WSListener):
    """Waits for the first message."""

    def __init__(self) -> None:
        self.greeted = asyncio.get_running_loop().create_future()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT and not self.greeted.done():
            self.greeted.set_result(None)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.greeted.done():
            self.greeted.set_exception(ConnectionError("a player was refused"))


@asynccontextmanager
async def matchmaker() -> AsyncIterator[int]:
    """Run a stand-in for a matchmaker; yield its port."""

    def take(request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        if request.path == b"/readyz":
            return WSUpgradeResponseWithListener(WSUpgradeResponse.create_ok_response(b"ok"), None)
        return Matchmaker()

    server = await ws_create_server(take, HOST, 0, backlog=4096)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


def router(upstream: int, page: str, auth: str, key: str) -> tuple[str, ...]:
    """Return the command line arguments of a router."""
    links = ("--auth", "link", "--link-key", key) if auth == "link" else ()
    return (
        *("router", "--log-format", "json"),
        *("--host", HOST, "--port", "0", "--metrics-port", "0", "--page", page),
        *("--joins-per-minute", "0", "--connections-per-address", "0"),
        *("--matchmaker", f"ws://{HOST}:{upstream}/", *links),
    )


async def join(url: str, links: Sequence[str]) -> list[WSTransport]:
    """Connect a player with each link, some simultaneously; return when all have got their first message."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(link: str) -> WSTransport:
        async with room:
            player = Player()
            transport, _ = await ws_connect(lambda: player, f"{url}?link={link}", extra_headers=HEADERS)
            await player.greeted
            return transport

    async with asyncio.timeout(JOIN_SECONDS):
        return await asyncio.gather(*map(one, links))


async def measure(checkout: Path | None, arguments: Sequence[str], links: Sequence[str]) -> float:
    """Return the CPU microseconds for a player of the router of a checkout, or of the bare proxy."""
    program = (sys.executable, "-m") if checkout is None else (str(checkout / ".venv" / "bin" / "pixelfleet"),)
    async with started(*arguments, program=program) as (port, pid):
        url = f"ws://{HOST}:{port}/ws"
        open_ = await join(url, links[:WARM_UP])
        before = cpu_seconds(pid)
        open_ += await join(url, links[WARM_UP:])
        used = cpu_seconds(pid) - before
        for transport in open_:
            transport.disconnect(graceful=False)
        return used / (len(links) - WARM_UP) * 1e6


async def rounds(args: argparse.Namespace, page: str) -> dict[str, list[tuple[float, float]]]:
    """Return, for each authentication method, the costs of the other server and of this router in each round."""
    key = secrets.token_hex(32)
    links = [sign(SignedLink(subject=f"player-{number}"), key, 3600) for number in range(WARM_UP + args.players)]
    found: dict[str, list[tuple[float, float]]] = {auth: [] for auth in AUTHS}
    async with matchmaker() as upstream:
        for number in range(args.rounds):
            for auth in AUTHS:
                ours = router(upstream, page, auth, key)
                other = ours if args.against else ("benchmarks.bare_proxy", f"ws://{HOST}:{upstream}/")
                servers = {False: (args.against, other), True: (ROOT, ours)}
                order = sorted(servers, reverse=number % 2 == 1)
                cost = {is_ours: await measure(*servers[is_ours], links) for is_ours in order}
                found[auth].append((cost[False], cost[True]))
    return found


def report(found: dict[str, list[tuple[float, float]]], other: str, goals: Mapping[str, float]) -> bool:
    """Print the figures; return whether the median of each authentication method meets its goal, if it has one."""
    is_met = True
    for auth, pairs in found.items():
        print(f"--auth {auth}: CPU a player, {other} and this router, and their ratio")
        for theirs, ours in pairs:
            print(f"  {theirs:7.0f} us  {ours:7.0f} us  x{ours / theirs:.2f}")
        median = statistics.median(ours / theirs for theirs, ours in pairs)
        record(f"CPU to accept, --auth {auth}", median, goal=goals.get(auth))
        goal = goals.get(auth)
        print(f"  median x{median:.2f}" + ("" if goal is None else f", goal x{goal} or less"))
        is_met = is_met and (goal is None or median <= goal)
    return is_met


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description="the cost of an accepted player for a router")
    parser.add_argument("--against", type=Path, help="another checkout of this project, with a .venv of its own")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--players", type=int, default=1000, help="measured players in each round")
    parser.add_argument("--check", action="store_true", help="exit with 1 when the goal is missed")
    args = parser.parse_args(argv)
    args.against = args.against and args.against.resolve()
    try:
        with tempfile.TemporaryDirectory() as page:
            Path(page, "index.html").write_text("<!doctype html>", encoding="utf-8")
            found = uvloop.run(rounds(args, page))
    except (StartError, OSError, TimeoutError) as error:
        print(f"benchmarks.accept: {error or 'no answer in time'}", file=sys.stderr)
        return 2
    is_met = report(found, *(("the other checkout", GOALS) if args.against else ("a bare proxy", {})))
    return 1 if args.check and not is_met else 0


if __name__ == "__main__":
    sys.exit(main())
