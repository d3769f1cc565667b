"""A real fleet with pretended GPU nodes: pods are signalling servers with a streamer, under an autoscaler.

The autoscaler's arithmetic and the nodes are those of the simulation, on the clock of this machine. Everything else is
real: Redis, matchmakers, their queue and metrics, signalling servers, streamers, drains.
"""

import asyncio
import statistics
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from random import Random
from typing import Any, Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

import signalserver.app
from pixelfleet.autoscaling.demand import beyond_tolerance
from pixelfleet.autoscaling.replicas import Pods
from pixelfleet.autoscaling.scale_down import Stage, removal_key
from pixelfleet.capacity.agenda import Agenda
from pixelfleet.capacity.cluster import Cluster, Node
from pixelfleet.capacity.scalers import Loop, Scaler, Series, scaler_of
from pixelfleet.capacity.scenario import Scenario
from pixelfleet.capacity.streams import BUSY_COST
from pixelfleet.fleet.store import FleetStore
from signalserver.settings import Settings
from tests.chaos.pods import Streamer
from tests.integration.peers import streamer
from tests.parts import SIGNALSERVER_ON_FREE_PORTS, eventually

SERIES: Final = {
    Series.WANTED: "pixelfleet_streams_wanted",
    Series.BEYOND: "pixelfleet_streams_wanted",
    Series.RATIO: "matchmaker_streamer_demand_ratio",
}
"""What a matchmaker exports of each series; the rest is a query of Prometheus."""


class Clock(Agenda):
    """The agenda of the simulated nodes on the clock of the event loop: seconds since `start`, before that 0."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._began: float | None = None

    def start(self) -> None:
        """Begin at 0."""
        self._began = self._loop.time()

    def at(self, time: float, action: Callable[[Any], object], argument: object = None) -> None:
        """Call `action` with the argument at that time."""

        def due() -> None:
            self.tick()
            action(argument)

        assert self._began is not None
        self._loop.call_at(self._began + time, due)

    def tick(self) -> float:
        """Return the present time, which is also that of the nodes."""
        if self._began is not None:
            self.now = self._loop.time() - self._began
        return self.now


class Pod:
    """A pod: its place, and its signalling server while it runs."""

    def __init__(self, created: float, name: float) -> None:
        self.created = created
        self.name = name
        self.node: Node | None = None
        self.server: signalserver.app.SignalServer | None = None
        self.ready_at: float | None = None
        self.removed = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether it has a player."""
        return self.server is not None and self.server.players > 0


class Fleet:
    """The pods of a scenario and their autoscaler."""

    def __init__(
        self,
        scenario: Scenario,
        clock: Clock,
        store: FleetStore,
        key: str,
        metrics: list[str],
        http: aiohttp.ClientSession,
    ) -> None:
        self.scenario = scenario
        self.clock = clock
        self._store, self._key, self._metrics, self._http = store, key, metrics, http
        self._random = Random(f"{scenario.seed} real")
        self._scaler: Scaler | None = None
        if scenario.autoscaler is not None:
            self._scaler = scaler_of(scenario.autoscaler, scenario.sync_seconds)
        self._value: float | None = None
        self.wanted = scenario.replicas
        self.pods: list[Pod] = []
        """Pods that are not removed, the oldest first."""
        self._stream_seconds = 0.0
        self._placed: dict[Pod, float] = {}
        """The pods on nodes, removed ones included, and since when."""
        self.late_ticks: list[float] = []
        """Seconds by which the periodic steps were late: how busy this machine is."""
        self._tasks: list[asyncio.Task[None]] = []
        initial = max(scenario.nodes.minimum, -(-scenario.replicas // scenario.nodes.streams))
        self.cluster = Cluster(
            scenario.nodes, clock, self._random, self._schedule, min(initial, scenario.nodes.maximum)
        )

    async def start(self) -> None:
        """Start the first pods; return when they are ready."""
        self._create(self.wanted)
        self._schedule(at_once=True)
        await eventually(lambda: all(pod.ready_at is not None for pod in self.pods), "the first pods are ready")

    def control(self) -> None:
        """Begin the periods of the controllers now."""
        scenario = self.scenario
        self._begin(self._every(scenario.nodes.scan_seconds, self._scan))
        self._begin(self._every(scenario.scrape_seconds, self._scrape, later=scenario.read_seconds / 2))
        for loop in self._scaler.loops if self._scaler else ():
            self._begin(self._every(loop.seconds, partial(self._reconcile, loop)))

    async def end(self) -> None:
        """End the controllers and all pods; raise the first error of one."""
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    def stream_seconds(self) -> float:
        """Return the seconds of all pods on nodes together, until the end of the scenario."""
        end = self.scenario.seconds
        return self._stream_seconds + sum(end - placed for placed in self._placed.values())

    def node_seconds(self) -> float:
        """Return the seconds of all nodes together, until the end of the scenario."""
        self.clock.now = self.scenario.seconds
        return self.cluster.node_seconds()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    def numbers(self) -> Pods:
        """Return what an autoscaler reads."""
        ready = sum(1 for pod in self.pods if pod.ready_at is not None)
        return Pods(self.wanted, len(self.pods), ready)

    # -- controllers -----------------------------------------------------------------------------------

    async def _every(self, seconds: float, step: Callable[[], Any], later: float = 0.0) -> None:
        """Perform a step in each period. A period begins when the step before has ended, as in Kubernetes' controllers.

        So periods are a little longer than `seconds`, and never shorter: the end of a policy's period depends on it.
        """
        due = seconds + later
        while due < self.scenario.seconds:
            await asyncio.sleep(max(0.0, due - self.clock.tick()))
            self.late_ticks.append(self.clock.tick() - due)
            result = step()
            if asyncio.iscoroutine(result):
                await result
            due = self.clock.tick() + seconds

    async def _scrape(self) -> None:
        """Read the series of all matchmakers, and average it as the queries do."""
        if self._scaler is None:
            return
        values = [value for url in self._metrics if (value := await self._read(url)) is not None]
        self._value = statistics.fmean(values) if values else None
        if self._value is not None and self._scaler.series is Series.BEYOND:
            self._value = beyond_tolerance(self._value, self.numbers().existing)

    async def _read(self, url: str) -> float | None:
        assert self._scaler is not None
        async with self._http.get(url) as answer:
            text = await answer.text()
        name = SERIES[self._scaler.series]
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name and sample.labels.get("app", "default") == "default":
                    return float(sample.value)
        return None

    def _scan(self) -> None:
        self.clock.tick()
        self.cluster.scan(sum(1 for pod in self.pods if pod.node is None))

    def _reconcile(self, loop: Loop) -> None:
        wanted = loop.step(self.clock.tick(), self.numbers(), self._value)
        if wanted > len(self.pods):
            self._create(wanted - len(self.pods))
        elif wanted < len(self.pods):
            for pod in sorted(self.pods, key=self._key_of)[: len(self.pods) - wanted]:
                self._remove(pod)
        self.wanted = wanted
        self._schedule()

    # -- pods --------------------------------------------------------------------------------------------

    def _create(self, count: int) -> None:
        self.pods += [Pod(self.clock.tick(), self._random.random()) for _ in range(count)]

    def _key_of(self, pod: Pod) -> tuple[float | str, ...]:
        now, node = self.clock.tick(), pod.node
        if node is None:
            return removal_key(Stage.UNSCHEDULED, 0, 0, now - pod.created, pod.name)
        if pod.ready_at is None:
            stage = Stage.RUNNING if node.has_image else Stage.PENDING
            return removal_key(stage, 0, node.active, now - pod.created, pod.name)
        cost = BUSY_COST if pod.busy else 0
        return removal_key(Stage.READY, cost, node.active, now - pod.ready_at, pod.name)

    def _remove(self, pod: Pod) -> None:
        self.pods.remove(pod)
        if pod.node is not None:
            pod.node.active -= 1
        pod.removed.set()

    def _schedule(self, *, at_once: bool = False) -> None:
        """Place pods on nodes, the oldest first; `at_once` omits their start time."""
        for pod in self.pods:
            if pod.node is not None:
                continue
            node = self.cluster.place()
            if node is None:
                return
            pod.node = node
            start = 0.0 if at_once else self.scenario.pod_start.draw(self._random)
            self._begin(self._live(pod, node, start))

    async def _live(self, pod: Pod, node: Node, start: float) -> None:
        """Run a pod from its place on a node to the release of its GPU."""
        placed = self._placed[pod] = self.clock.tick()
        starts_at = max(placed, node.image_at) + start
        if not await self._removed_within(pod, starts_at - placed):
            async with AsyncExitStack() as stack:
                await self._serve(pod, stack)
        await asyncio.sleep(self.scenario.pod_stop.draw(self._random))
        del self._placed[pod]
        self._stream_seconds += self.clock.tick() - placed
        self.cluster.release(node)
        self._schedule()

    @staticmethod
    async def _removed_within(pod: Pod, seconds: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await pod.removed.wait()
        except TimeoutError:
            return False
        return True

    async def _serve(self, pod: Pod, stack: AsyncExitStack) -> None:
        """Run a signalling server with a streamer until the pod is removed and its last player has left."""
        settings = Settings(
            **SIGNALSERVER_ON_FREE_PORTS,
            session_key=self._key,
            require_session=True,
            drain_seconds=self.scenario.drain_seconds,
            spread_seconds=0,
            first_media_seconds=0,
        )
        server = await stack.enter_async_context(signalserver.app.running(settings, self._store))
        url = f"ws://127.0.0.1:{server.streamer_port}"
        peer = await stack.enter_async_context(streamer(url, "cam"))
        task = asyncio.create_task(Streamer("cam").serve(peer))
        stack.callback(task.cancel)
        pod.server, pod.ready_at = server, self.clock.tick()
        await pod.removed.wait()
        await server.drain()
