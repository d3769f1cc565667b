"""A fleet whose players, streamers and replicas come and go for half an hour: `make soak`.

    python -m tests.soak.churn [--seconds 1800] [--seed N] [--check] [--json FILE]
    python -m tests.soak.churn --attacks [OPTION]...    the soak with a hostile client (tests/soak/run.py)

The fleet, its players and the checks are those of the fault tests (tests/chaos). Players lose connections, return,
leave, are lost and are replaced; streamers are reset; and one router, matchmaker and signalling server after the other
is killed and started again. One of each is never replaced. Its memory, descriptors and tasks, the memory of Redis and
the number of keys are sampled. `--check` exits with 1 if one of them grows by more than its bound, or after a
violation.
"""

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop
from redis.asyncio import Redis
from rich.console import Console

from benchmarks.command import verdict
from benchmarks.processes import descriptors, resident_kib
from pixelfleet.service.lifecycle import background
from pixelfleet.service.logs import configure
from tests.chaos.chain import Chain, Part
from tests.chaos.report import show
from tests.chaos.scenarios import Scenario
from tests.chaos.trial import Trial
from tests.soak import run as attacks
from tests.soak.counted import tasks
from tests.soak.growth import DESCRIPTORS, KEYS, MEMORY, TASKS, Growth

SAMPLE_SECONDS: Final = 5.0
STEP_SECONDS: Final = 10.0
"""The pause between two replacements, or resets of streamers."""

DOWN_SECONDS: Final = 1.0
PROGRESS_SAMPLES: Final = 12
REPLACED: Final = ("router", "matchmaker", "signalserver")


class Churn:
    """What happens in the fleet, and what is sampled."""

    def __init__(self, seconds: float, folder: Path, console: Console) -> None:
        """`folder` is that of the numbers of tasks."""
        self._seconds = seconds
        self._folder = folder
        self._console = console
        self.growth = Growth()
        self.replaced = 0

    async def run(self, chain: Chain) -> None:
        """Replace parts of the fleet for some time, and sample the others."""
        async with background(self._sample(chain)):
            now = asyncio.get_running_loop().time
            until = now() + self._seconds
            while now() < until:
                for kind in REPLACED:
                    await self._replace(chain.chance.choice(chain.of(kind)[1:]))
                chain.chance.choice(chain.links["streamer-signalserver"]).reset()
                await asyncio.sleep(STEP_SECONDS)

    async def _replace(self, part: Part) -> None:
        await part.kill()
        await asyncio.sleep(DOWN_SECONDS)
        await part.begin()
        self.replaced += 1
        await asyncio.sleep(STEP_SECONDS)

    async def _sample(self, chain: Chain) -> None:
        begun = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            time = asyncio.get_running_loop().time() - begun
            self.growth.add(time, await self._figures(chain))
            if len(self.growth.samples) % PROGRESS_SAMPLES == 0:
                memory = {
                    process: f"{value / 1024:.0f}"
                    for (process, kind), value in self.growth.samples[-1].items()
                    if kind == MEMORY
                }
                self._console.print(f"{time:5.0f} s  {self.replaced} replaced  MiB: {memory}", highlight=False)

    async def _figures(self, chain: Chain) -> dict[tuple[str, str], float]:
        """Return the figures of the parts that are not replaced."""
        found: dict[tuple[str, str], float] = {}
        for kind in REPLACED:
            pid = chain.of(kind)[0].pid
            found[kind, MEMORY] = resident_kib(pid)
            found[kind, DESCRIPTORS] = descriptors(pid)
            found[kind, TASKS] = tasks(self._folder, pid)
        assert chain.redis.program is not None
        async with Redis(port=chain.redis.program.facts["port"]) as client:
            found["redis", KEYS] = await client.dbsize()
            found["redis", MEMORY] = int((await client.info("memory"))["used_memory"]) / 1024
        return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print the figures, and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if "--attacks" in words:
        words.remove("--attacks")
        return attacks.main(words)
    parser = argparse.ArgumentParser(description="a fleet whose parts and players come and go")
    parser.add_argument("--attacks", action="store_true", help="the soak with a hostile client, with its own options")
    parser.add_argument("--seconds", type=float, default=1800.0, help="of replacements")
    parser.add_argument("--seed", type=int, help="the seed of an earlier run")
    parser.add_argument("--check", action="store_true", help="exit with 1 after a violation or beyond a bound")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples to this file")
    args = parser.parse_args(words)
    configure("error", "console")
    console = Console(highlight=False, soft_wrap=True)
    seed = secrets.randbelow(1_000_000) if args.seed is None else args.seed
    with tempfile.TemporaryDirectory() as folder:
        churn = Churn(args.seconds, Path(folder), console)
        scenario = Scenario("churn", "players, streamers and replicas come and go", churn.run)
        outcome = uvloop.run(Trial(scenario, seed, launcher=("tests.soak.counted", folder)).run())
    console.print(churn.growth.table())
    show(console, outcome, seed, "")
    if args.json is not None:
        args.json.write_text(json.dumps(churn.growth.as_json(), indent=1), encoding="utf-8")
    found = [f"{number} violations of {check}" for check, number in outcome.violations.items()]
    return verdict([*churn.growth.missed(), *found], check=args.check)


if __name__ == "__main__":
    sys.exit(main())
