"""Simulates a fleet: players arrive, wait, play and leave; an autoscaler and a cluster autoscaler follow them."""

import math
from array import array
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, Final

from pixelfleet.capacity.agenda import Agenda
from pixelfleet.capacity.arrivals import Players
from pixelfleet.capacity.outcome import Cause, Fate, Outcome, Timeline
from pixelfleet.capacity.scalers import Loop, Scaler, scaler_of
from pixelfleet.capacity.scenario import Scenario
from pixelfleet.capacity.streams import Pod, Streams

REPORTS: Final = 100
"""Reports of progress in a run."""


class Simulation:
    """One run."""

    def __init__(self, scenario: Scenario, players: Players) -> None:
        self.scenario = scenario
        self.agenda = Agenda()
        self._players = players
        self._random = Random(f"{scenario.seed} cluster")  # noqa: S311 - no secret
        self._queue: deque[int] = deque()
        """The players in the order of arrival; those that gave up are skipped later."""
        self.waiting = 0
        self._fates = bytearray(len(players))
        self._waits = array("d", bytes(8 * len(players)))
        self._busy_seconds = 0.0
        self.scaler: Scaler | None = None
        if scenario.autoscaler is not None:
            self.scaler = scaler_of(scenario.autoscaler, scenario.sync_seconds)
        self.streams = Streams(scenario, self.agenda, self._random, self._serve)
        self._value: float | None = None
        self._causes = dict.fromkeys(Cause, 0.0)
        self._timeline = Timeline.of(scenario.seconds, scenario.scrape_seconds)

    def run(self, progress: Callable[[float], None] = lambda part: None) -> Outcome:
        """Run to the end; `progress` gets the part that is done, from 0 to 1."""
        self._every(self.scenario.scrape_seconds, self._scrape, None)
        self._every(self.scenario.nodes.scan_seconds, self._scan, None)
        for loop in self.scaler.loops if self.scaler else ():
            self._every(loop.seconds, self._reconcile, loop)
        self._play(progress)
        return self._outcome()

    def _play(self, progress: Callable[[float], None]) -> None:
        agenda, events, end = self.agenda, self.agenda.events, self.scenario.seconds
        step = max(1, len(self._players) // REPORTS)
        for number, at in enumerate(self._players.arrivals):
            if events[0][0] < at:
                agenda.advance(at)
            agenda.now = at
            self._arrive(number)
            if number % step == 0:
                progress(at / end)
        agenda.advance(end)
        progress(1.0)

    # -- players ---------------------------------------------------------------------------------------

    def _arrive(self, number: int) -> None:
        pod = None if self.waiting else self.streams.take()
        if pod is not None:
            self._begin(number, pod)
            return
        self.waiting += 1
        self._queue.append(number)
        patience = self._players.patience[number]
        if patience < math.inf:
            self.agenda.at(self.agenda.now + patience, self._give_up, number)

    def _begin(self, number: int, pod: Pod) -> None:
        now = self.agenda.now
        self._fates[number] = Fate.SERVED
        ends = now + self._players.lengths[number]
        self._busy_seconds += min(ends, self.scenario.seconds) - now
        self.agenda.at(ends, self._leave, (pod, pod.session, ends))

    def _leave(self, session: tuple[Pod, int, float]) -> None:
        pod, number, _ = session
        if pod.session != number or not pod.busy:  # the end of a drain was earlier
            return
        self.streams.leave(pod)
        if self.waiting:
            self._serve()

    def _serve(self) -> None:
        """Give free pods to waiting players, in the order of arrival."""
        now, queue, fates = self.agenda.now, self._queue, self._fates
        while self.waiting:
            while fates[queue[0]] == Fate.GAVE_UP:
                queue.popleft()
            pod = self.streams.take()
            if pod is None:
                return
            number = queue.popleft()
            self.waiting -= 1
            self._waits[number] = now - self._players.arrivals[number]
            self._begin(number, pod)

    def _give_up(self, number: int) -> None:
        if self._fates[number] == Fate.WAITS:
            self._fates[number] = Fate.GAVE_UP
            self._waits[number] = self.agenda.now - self._players.arrivals[number]
            self.waiting -= 1

    # -- controllers -----------------------------------------------------------------------------------

    def _every(self, seconds: float, action: Callable[[Any], object], argument: Any) -> None:
        """Perform an action in each period, from a random time in the first one, or at its end if `in_phase`."""
        first = seconds if self.scenario.in_phase else seconds * self._random.random()

        def due(number: int) -> None:
            action(argument)
            # A multiple of the period, so that errors do not add up.
            self.agenda.at(first + (number + 1) * seconds, due, number + 1)

        self.agenda.at(first, due, 0)

    def _scrape(self, _: object) -> None:
        streams, scenario, now = self.streams, self.scenario, self.agenda.now
        pods = streams.pods()
        if self.scaler:
            players = streams.busy + self.waiting
            value = self.scaler.series.reading(players, streams.draining, scenario.warm, pods)
            age = scenario.read_seconds * self._random.random()
            if age:
                self.agenda.at(now + age, self._scraped, value)
            else:
                self._value = value
        busy = streams.busy + streams.draining
        self._timeline.sample(now, pods.ready, pods.existing, busy, self.waiting)
        if self.waiting:
            self._attribute()

    def _scraped(self, value: float) -> None:
        self._value = value

    def _attribute(self) -> None:
        """Attribute the waiting time of a period to what the players lack."""
        streams, left, seconds = self.streams, self.waiting, self.scenario.scrape_seconds
        maximum = self.scaler.maximum if self.scaler else 0
        pulling = streams.pulling
        full = Cause.NODES if streams.cluster.is_full and not streams.cluster.starting else Cause.NODE
        for cause, pods in (
            (Cause.POD, streams.starting - pulling),
            (Cause.IMAGE, pulling),
            (full, streams.pending),
            (Cause.STREAMS if streams.wanted >= maximum else Cause.AUTOSCALER, left),
        ):
            found = min(left, pods)
            self._causes[cause] += found * seconds
            left -= found

    def _scan(self, _: object) -> None:
        self.streams.cluster.scan(self.streams.pending)

    def _reconcile(self, loop: Loop) -> None:
        self.streams.scale(loop.step(self.agenda.now, self.streams.pods(), self._value))

    def _outcome(self) -> Outcome:
        scenario, streams, end = self.scenario, self.streams, self.scenario.seconds
        for number, fate in enumerate(self._fates):
            if fate == Fate.WAITS:
                self._waits[number] = end - self._players.arrivals[number]
        return Outcome(
            seconds=end,
            players=self._players,
            fates=self._fates,
            waits=self._waits,
            stream_seconds=streams.stream_seconds(),
            node_seconds=streams.cluster.node_seconds(),
            busy_seconds=self._busy_seconds,
            gpus_per_node=scenario.nodes.gpus,
            streams_per_gpu=scenario.nodes.streams_per_gpu,
            most_streams=streams.most,
            most_nodes=streams.cluster.most,
            starts=streams.starts,
            cut=streams.cut,
            causes=self._causes,
            timeline=self._timeline,
        )
