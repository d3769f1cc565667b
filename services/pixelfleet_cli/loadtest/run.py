"""One load test: arrivals, samples, and the report at its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Final

import aiohttp

from pixelfleet.capacity.arrivals import Source
from pixelfleet.capacity.durations import parsed
from pixelfleet.service.catalogue import catalogue
from pixelfleet.service.shown import shown_url
from pixelfleet.service.version import VERSION
from pixelfleet_cli.loadtest import streamers
from pixelfleet_cli.loadtest.core import results
from pixelfleet_cli.loadtest.core.results import Report, Streamers
from pixelfleet_cli.loadtest.core.schedule import Arrival, schedule
from pixelfleet_cli.loadtest.core.tally import Event, Span
from pixelfleet_cli.loadtest.load import Load, sleep
from pixelfleet_cli.loadtest.players import PlayerRun
from pixelfleet_cli.loadtest.settings import Settings
from pixelfleet_cli.loadtest.watch import GET_SECONDS, Watch

SAMPLE_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 3.0
"""The time at the end in which servers should answer the closes."""


class LoadTest:
    """A load test that is prepared. `run` runs it once."""

    def __init__(self, settings: Settings, url: str, streamer_url: str, source: Source, *, local: bool) -> None:
        """The URLs are those of websockets; with `local` the services on this machine are measured."""
        self.settings = settings
        self._url, self._streamer_url, self._source = url, streamer_url, source
        self._watch = Watch(local=local, metrics=settings.metrics_url)
        self._present: set[asyncio.Task[None]] = set()
        self.load: Load | None = None
        """The running test."""

    async def run(self, stop: asyncio.Event) -> Report:
        """Run the test until its time is over, its last player has left, or `stop` is set."""
        settings = self.settings
        load = self.load = Load(settings, self._url)
        begun = datetime.now(UTC)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
            sources = await streamers.connect(load, self._streamer_url, tasks, stack)
            load.restart_clock()
            async with self._sampling(tasks):
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(load.at(settings.seconds)):
                        await self._arrivals(tasks, stop)
                        await self._last_left(stop)
            load.is_over = True
            seconds, players = load.now, results.players_of(load.tally)
            connected = load.streamers_connected
            await self._end(sources)
        errors = results.errors_of(load.tally)
        return Report(
            version=VERSION,
            target=shown_url(settings.url),
            started_at=begun.isoformat(timespec="seconds"),
            seconds=seconds,
            interrupted=stop.is_set(),
            passed=sum(each.count for each in errors) <= settings.max_errors,
            players=players,
            times={span.value: results.times_of(each) for span, each in load.tally.spans.items()},
            returns=results.returns_of(load.tally),
            errors=errors,
            streamers=Streamers(settings.streamers, connected, settings.streamer_media),
            media=load.media,
            processes=results.processes_of(load.tally),
            timeline=results.timeline_of(load.tally),
            settings=shown_settings(settings),
        )

    async def _arrivals(self, tasks: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        """Start each player at its time; a late one at once."""
        load, settings = self._started, self.settings
        arrivals = schedule(
            self._source,
            seconds=settings.seconds,
            most=settings.players,
            hold=parsed(settings.hold),
            patience=parsed(settings.patience),
            seed=settings.seed,
        )
        for arrival in arrivals:
            ahead = arrival.at - load.now
            if ahead > 0 and await sleep(ahead, stop):
                return
            if stop.is_set():
                return
            if len(self._present) >= settings.concurrent:
                load.count(Event.SKIPPED)
            else:
                load.time(Span.LAG, min(arrival.at, load.now))
                self._start(tasks, arrival)
            if ahead <= 0:
                await asyncio.sleep(0)  # the players go on while many are late

    def _start(self, tasks: asyncio.TaskGroup, arrival: Arrival) -> None:
        task = tasks.create_task(self._player(arrival).run())
        self._present.add(task)
        task.add_done_callback(self._present.discard)

    def _player(self, arrival: Arrival) -> PlayerRun:
        load = self._started
        if load.playing_media >= self.settings.media:
            return PlayerRun(load, arrival)
        from pixelfleet_cli.loadtest.media import ReceivedMedia  # noqa: PLC0415 - needs the extra `streamer`

        load.playing_media += 1
        return PlayerRun(load, arrival, lambda send: ReceivedMedia(load, send))

    async def _last_left(self, stop: asyncio.Event) -> None:
        while self._present and not await sleep(0.1, stop):
            pass

    @asynccontextmanager
    async def _sampling(self, tasks: asyncio.TaskGroup) -> AsyncIterator[None]:
        """Take a sample each second during the body, and one after it."""
        timeout = aiohttp.ClientTimeout(total=GET_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
            await self._sample(http)
            task = tasks.create_task(self._samples(http))
            try:
                yield
            finally:
                task.cancel()
            await self._sample(http)

    async def _samples(self, http: aiohttp.ClientSession) -> None:
        load = self._started
        while True:
            # In the middle of each interval of a second, so that none goes without a sample.
            await asyncio.sleep(SAMPLE_SECONDS - (load.now + SAMPLE_SECONDS / 2) % SAMPLE_SECONDS)
            await self._sample(http)

    async def _sample(self, http: aiohttp.ClientSession) -> None:
        usage = await self._watch.sample(http)
        self._started.tally.sample(self._started.now, usage)

    async def _end(self, sources: list[asyncio.Task[None]]) -> None:
        """End all players, then the test streamers."""
        self._started.heartbeats.stop()
        for tasks in (list(self._present), sources):
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        await self._started.sockets.all_closed(asyncio.get_running_loop().time() + CLOSE_SECONDS)

    @property
    def _started(self) -> Load:
        assert self.load is not None
        return self.load


def shown_settings(settings: Settings) -> dict[str, str]:
    """Return the settings of a test by their options, without secrets in URLs."""
    shown = {}
    for name, setting in catalogue(type(settings)).items():
        value = getattr(settings, name)
        if name in type(settings).unused or name == "config" or value in (None, []):
            continue
        urls = value if isinstance(value, list) else [value]
        shown[setting.option] = ", ".join(shown_url(each) if "url" in name else str(each) for each in urls)
    return shown
