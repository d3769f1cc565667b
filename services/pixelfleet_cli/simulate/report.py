"""The figures of the runs, as they are printed, written as JSON and plotted. No I/O."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from pixelfleet.capacity.outcome import Cause, Fate, Outcome
from pixelfleet_cli.simulate.plan import DAY_SECONDS, Plan

BANDS: Final = (1.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, float("inf"))
"""Upper limits of the bands of waits, beside that of the target."""

ADVICE: Final = {
    Cause.AUTOSCALER: (
        "no pod was ordered yet",
        "More warm slots (STREAMS_WARM), or policies of the autoscaler that allow larger steps.",
    ),
    Cause.POD: (
        "a pod was starting",
        "More warm slots (STREAMS_WARM), or an application that starts faster.",
    ),
    Cause.IMAGE: (
        "a new node pulled the image",
        "The image in the nodes' own disk image or a smaller one, or idle nodes that stay (--nodes-min).",
    ),
    Cause.NODE: (
        "a new node was starting",
        "More warm slots (STREAMS_WARM), idle nodes that stay (--nodes-min), or nodes that start faster.",
    ),
    Cause.NODES: ("all GPUs were in use", "More GPU nodes (--nodes-max)."),
    Cause.STREAMS: ("the maximum of streams was reached", "A larger maximum of streams (STREAMS_MAX, --streams-max)."),
}
"""What waiting players lacked, and the settings that change it."""

FIXED: Final = ("all streams were in use", "More streams (--streams).")
"""The same for Cause.STREAMS where the number of streams is fixed."""


class Waits(msgspec.Struct, frozen=True):
    """Percentiles of the waits of all players, in seconds."""

    p50: float
    p90: float
    p95: float
    p99: float
    longest: float


class Run(msgspec.Struct, frozen=True, rename="camel"):
    """One run."""

    number: Annotated[int, Meta(description="of warm slots, or of streams of a fixed fleet")]
    in_time_percent: float
    meets_target: bool
    waits: Waits
    players: int
    gave_up: int
    waiting: Annotated[int, Meta(description="players that wait at the end of the run")]
    sessions_cut: Annotated[int, Meta(description="sessions that the end of a drain has ended")]
    most_streams: int
    most_nodes: int
    pods_started: int
    gpu_hours: Annotated[float, Meta(description="of nodes")]
    gpu_hours_of_streams: Annotated[float, Meta(description="held by pods")]
    gpu_hours_of_players: Annotated[float, Meta(description="with a player")]
    cost: Annotated[float | None, Meta(description="of the run; null without a price")]

    @property
    def used_percent(self) -> float:
        """The part of the GPU hours that have a player."""
        return 100 * self.gpu_hours_of_players / self.gpu_hours if self.gpu_hours else 0.0


class WaitCause(msgspec.Struct, frozen=True, rename="camel"):
    """A cause of waiting."""

    cause: str
    meaning: str
    percent: Annotated[float, Meta(description="of the waiting time of all players")]
    remedy: str


class Band(msgspec.Struct, frozen=True, rename="camel"):
    """Players by the length of their wait."""

    name: str
    percent: float
    kind: Annotated[str, Meta(description="`in-time`, `late` or `gave-up`")]


class Hour(msgspec.Struct, frozen=True, rename="camel"):
    """The players that arrive in one hour of the day, counted from the start of the run."""

    hour: int
    players: int
    late_percent: float


class Point(msgspec.Struct, frozen=True, rename="camel"):
    """Means of one part of the run."""

    seconds: float
    ready: float
    pods: float
    busy: float
    waiting: float


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """The results of a command."""

    days: float
    target_percent: float
    target_seconds: float
    varied: Annotated[str, Meta(description="what differs between runs: `warm`, `streams`, or empty")]
    answer: Annotated[int | None, Meta(description="the smallest number that meets the target; null if none does")]
    chosen: Annotated[int, Meta(description="the number of the run that the other fields describe")]
    runs: list[Run]
    wait_causes: list[WaitCause]
    bands: list[Band]
    hours: list[Hour]
    timeline: list[Point]
    settings: dict[str, str]
    component: Annotated[str, Meta(description="a kustomize component with the autoscaler, as YAML; or empty")]
    values: Annotated[dict[str, str], Meta(description="the values for the .env file of `pixelfleet configure`")]

    @property
    def run(self) -> Run:
        """The run that the report describes."""
        return next(each for each in self.runs if each.number == self.chosen)


def run_of(plan: Plan, number: int, outcome: Outcome) -> Run:
    """Return the figures of a run."""
    settings = plan.settings
    part = outcome.in_time(settings.target_seconds)
    hours = outcome.node_gpu_hours
    return Run(
        number=number,
        in_time_percent=100 * part,
        meets_target=100 * part >= settings.target_percent,
        waits=Waits(*outcome.percentiles([0.5, 0.9, 0.95, 0.99, 1])),
        players=len(outcome.players),
        gave_up=outcome.gave_up(),
        waiting=outcome.waiting(),
        sessions_cut=outcome.cut,
        most_streams=outcome.most_streams,
        most_nodes=outcome.most_nodes,
        pods_started=outcome.starts,
        gpu_hours=hours,
        gpu_hours_of_streams=outcome.stream_gpu_hours,
        gpu_hours_of_players=outcome.busy_gpu_hours,
        cost=hours * settings.gpu_price if settings.gpu_price else None,
    )


def wait_causes_of(plan: Plan, outcome: Outcome) -> list[WaitCause]:
    """Return the causes of waiting, the greatest first."""
    total = sum(outcome.causes.values())
    found = []
    for cause, seconds in sorted(outcome.causes.items(), key=lambda item: -item[1]):
        if not seconds:
            continue
        fixed = cause is Cause.STREAMS and plan.manifest is None
        meaning, remedy = FIXED if fixed else ADVICE[cause]
        found.append(WaitCause(cause.value, meaning, 100 * seconds / total, remedy))
    return found


def bands_of(outcome: Outcome, target: float) -> list[Band]:
    """Return the parts of the players by their wait, up to the target and beyond; players that gave up are one part."""
    limits = sorted({*BANDS, target, 0.0})
    counts = dict.fromkeys(limits, 0)
    gave_up = 0
    for fate, wait in zip(outcome.fates, outcome.waits, strict=True):
        if fate == Fate.GAVE_UP:
            gave_up += 1
        else:
            counts[next(limit for limit in limits if wait <= limit)] += 1
    total = max(1, len(outcome.fates))
    names = ["no wait", *(_band(low, high) for low, high in pairwise(limits))]
    bands = [
        Band(name, 100 * counts[limit] / total, "in-time" if limit <= target else "late")
        for name, limit in zip(names, limits, strict=True)
    ]
    return [*bands, Band("gave up", 100 * gave_up / total, "gave-up")]


def _band(low: float, high: float) -> str:
    if high == float("inf"):
        return f"over {spoken(low)}"
    return f"up to {spoken(high)}" if not low else f"{spoken(low)} to {spoken(high)}"


def hours_of(outcome: Outcome, target: float) -> list[Hour]:
    """Return the late players by hour of the day; empty for less than a day."""
    if outcome.seconds < DAY_SECONDS:
        return []
    players, late = [0] * 24, [0] * 24
    for at, fate, wait in zip(outcome.players.arrivals, outcome.fates, outcome.waits, strict=True):
        hour = int(at % DAY_SECONDS // 3600)
        players[hour] += 1
        late[hour] += fate == Fate.GAVE_UP or wait > target
    return [Hour(hour, players[hour], 100 * late[hour] / max(1, players[hour])) for hour in range(24)]


def timeline_of(outcome: Outcome) -> list[Point]:
    """Return the means of the parts of a run."""
    line = outcome.timeline
    columns: Sequence[list[float]] = [line.means(each) for each in (line.ready, line.existing, line.busy, line.waiting)]
    return [Point(number * line.seconds, *row) for number, row in enumerate(zip(*columns, strict=True))]


def spoken(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 120:
        return f"{seconds:.3g} s" if seconds < 10 or seconds % 1 else f"{seconds:.0f} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"
