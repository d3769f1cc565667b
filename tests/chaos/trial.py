"""One run of a scenario: the fleet, its players, and the checks from outside all the time."""

import asyncio
import inspect
import random
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Final

from benchmarks.processes import StartError
from pixelfleet.fleet.bounds import ARRIVAL_SECONDS, EXPIRY_SECONDS
from pixelfleet.fleet.store import StoreUnavailableError
from pixelfleet.service.lifecycle import background
from tests.chaos.chain import CAPACITY, SERVICES, SLOTS, WINDOW_SECONDS, Chain, running
from tests.chaos.checks import FATE, Capacity, Fate, Fates, Order, Violations, slots_free
from tests.chaos.checks import SLOTS as SLOTS_CHECK
from tests.chaos.pages import Page
from tests.chaos.report import Outcome
from tests.chaos.scenarios import Scenario

PLAYERS: Final = SLOTS + 3
"""Some wait all the time."""

VISITORS: Final = PLAYERS // 3
VISIT_SECONDS: Final = (3.0, 9.0)
"""How long a visitor stays, from its join on; the others stay until the end."""

CUT_SECONDS: Final = (2.0, 8.0)
"""The time between two losses of a connection of the others, while there are faults."""

LOST_SHARE: Final = 0.5
"""The share of players that do not close their connection at their end."""

LOOK_SECONDS: Final = 0.25
PATIENCE_SECONDS: Final = 60.0
"""The longest time to wait or play again after the faults. The machine may be busy."""

RETURN_SECONDS: Final = WINDOW_SECONDS + ARRIVAL_SECONDS + EXPIRY_SECONDS + 30.0
"""The longest time until the slots of lost players are free: the window, a lease, a report; and a busy machine."""

START_SECONDS: Final = 120.0
REST_SECONDS: Final = 30.0
"""The longest time until the last messages have arrived."""


class Trial:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, seed: int, *, mutant: str = "", launcher: Sequence[str] = SERVICES) -> None:
        """`mutant` and `launcher` are those of the services."""
        self._scenario = scenario
        self._mutant = mutant
        self._launcher = launcher
        self._chance = random.Random(f"{seed} {scenario.name}")
        self._turn = count()
        self._names = count()
        self.violations = Violations()
        self._capacity = Capacity(CAPACITY, self.violations)
        self._fates = Fates(self.violations, PATIENCE_SECONDS)
        self._up = Order("to the streamer", self.violations)
        self._down = Order("to the player", self.violations)
        self._pages: list[Page] = []
        self._calm_since: float | None = None
        self._over = asyncio.Event()
        self._resumed = 0

    async def run(self) -> Outcome:
        """Return what was found."""
        with tempfile.TemporaryDirectory() as folder:
            async with running(
                Path(folder),
                self._chance,
                self._capacity,
                self._up,
                mutant=self._mutant,
                clock=self._scenario.clock,
                launcher=self._launcher,
            ) as chain:
                await self._on(chain)
                errors = chain.errors()
        return Outcome(
            self._scenario.name,
            self._scenario.faults,
            dict(self.violations.counts),
            self.violations.texts,
            messages=self._up.received + self._down.received,
            players=next(self._names),
            resumed=self._resumed + sum(page.resumed for page in self._pages),
            most=self._capacity.most,
            ends=dict(self._fates.ends),
            errors=errors,
        )

    async def _on(self, chain: Chain) -> None:
        async with AsyncExitStack() as stack:
            if not await self._until(lambda: self._fleet_is_free(chain), START_SECONDS):
                raise StartError("the fleet is not complete")
            await stack.enter_async_context(background(self._look(chain)))
            async with background(
                *(self._stay(chain) for _ in range(PLAYERS - VISITORS)), *(self._visit(chain) for _ in range(VISITORS))
            ):
                await self._until(self._as_many_play, PATIENCE_SECONDS)
                await self._scenario.run(chain)
                self._calm_since = self._now
                await self._judge_players()
                await self._judge_messages(chain)
                await asyncio.gather(*(self._end(page) for page in self._pages))
            await self._judge_slots(chain)
            if not self._scenario.may_refuse:
                self._capacity.refused(await chain.refused_for_a_slot())

    # -- players --------------------------------------------------------------------------------------

    def _add(self, chain: Chain) -> Page:
        entries = chain.entries
        page = Page(
            f"p{next(self._names)}",
            lambda: entries[next(self._turn) % len(entries)],
            self._fates,
            self._down,
            WINDOW_SECONDS + 1.0,
            random.Random(self._chance.random()),
        )
        self._pages.append(page)
        return page

    async def _stay(self, chain: Chain) -> None:
        """Be a player until the end, which loses its connection now and then while there are faults."""
        page = self._add(chain)
        async with background(page.run()):
            while self._calm_since is None:
                await asyncio.sleep(self._chance.uniform(*CUT_SECONDS))
                page.cut()
            await self._over.wait()

    async def _visit(self, chain: Chain) -> None:
        """Be one visitor after the other, each of which leaves or is lost; the last one stays until the end."""
        while True:
            page = self._add(chain)
            async with background(page.run()):
                await asyncio.sleep(self._chance.uniform(*VISIT_SECONDS))
                if self._calm_since is not None:
                    await self._over.wait()
                self._pages.remove(page)
                self._resumed += page.resumed
                await self._end(page)

    async def _end(self, page: Page) -> None:
        if self._chance.random() < LOST_SHARE:
            page.lose()
        else:
            await page.leave()

    # -- checks ---------------------------------------------------------------------------------------

    async def _look(self, chain: Chain) -> None:
        """Check all the time."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._fates.check(self._now, self._calm_since)
            if not self._scenario.loses_data:
                with suppress(StoreUnavailableError):
                    self._capacity.leases(await chain.store.snapshot())

    async def _judge_players(self) -> None:
        """Require that all players wait or play, and that none waits while a slot is free."""
        if not await self._until(self._as_many_play, PATIENCE_SECONDS + LOOK_SECONDS):
            plays, waits = self._fates.count(Fate.PLAYING), self._fates.count(Fate.WAITING)
            self.violations.add(FATE, f"{plays} play and {waits} wait {PATIENCE_SECONDS:.0f} s after the faults")

    def _as_many_play(self) -> bool:
        present = len(self._pages) - self._fates.count(Fate.ENDED)
        plays = self._fates.count(Fate.PLAYING)
        return bool(self._pages) and self._fates.settled and plays == min(present, SLOTS)

    async def _judge_messages(self, chain: Chain) -> None:
        """Let all messages arrive, then compare what was sent and received in each running session."""
        for page in self._pages:
            page.quiet = True
        for source in chain.sources:
            source.quiet = True
        await self._until(lambda: not self._incomplete(chain), REST_SECONDS)
        for order, stream, sent in self._incomplete(chain):
            order.complete(stream, sent)

    def _incomplete(self, chain: Chain) -> list[tuple[Order, str, int]]:
        """Return the direction, the name and the sent messages of the sessions whose messages have not all arrived."""
        totals: dict[str, int] = {}
        for source in chain.sources:
            totals |= source.totals()
        found = []
        for page in self._pages:
            if page.plays and page.stream in totals:
                sent = ((self._up, page.numbered), (self._down, totals[page.stream]))
                found += [(order, page.stream, number) for order, number in sent if order.count(page.stream) != number]
        return found

    async def _judge_slots(self, chain: Chain) -> None:
        if not await self._until(lambda: self._fleet_is_free(chain), RETURN_SECONDS):
            for text in await self._occupied(chain):
                self.violations.add(SLOTS_CHECK, f"{text} {RETURN_SECONDS:.0f} s after the last player")

    async def _fleet_is_free(self, chain: Chain) -> bool:
        return not await self._occupied(chain)

    async def _occupied(self, chain: Chain) -> list[str]:
        try:
            return slots_free(await chain.store.snapshot(), chain.names)
        except StoreUnavailableError as error:
            return [f"the store cannot be read: {error}"]

    async def _until(self, condition: Callable[[], object], seconds: float) -> bool:
        """Wait for a condition, plain or async, at most for some seconds; return whether it became true."""
        until = self._now + seconds
        while True:
            answer = condition()
            if await answer if inspect.isawaitable(answer) else answer:
                return True
            if self._now >= until:
                return False
            await asyncio.sleep(LOOK_SECONDS)

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()
