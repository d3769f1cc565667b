"""From settings to runs: what each run has, and which number is looked for. No I/O."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pixelfleet.capacity.arrivals import Source
from pixelfleet.capacity.durations import parsed
from pixelfleet.capacity.scalers import scaler_of, shipped
from pixelfleet.capacity.scenario import MAX_STREAMS, Nodes, Scenario
from pixelfleet.service.errors import UsageError
from pixelfleet_cli.simulate.settings import Settings

DAY_SECONDS: Final = 86_400.0
MAX_STEPS: Final = 10_000_000
"""Periods of a run, all controllers together; each takes microseconds."""

EXACT_SINCE: Final = (1, 35)
"""The first Kubernetes whose autoscalers follow the demand without a tolerance."""


class Plan(msgspec.Struct, frozen=True):
    """The runs of a command."""

    settings: Settings
    source: Source
    manifest: Mapping[str, Any] | None
    """The autoscaler; None for a fixed number of streams."""
    varied: str
    """The number that differs between runs: `warm`, `streams`, or empty when there is none."""
    numbers: tuple[int, ...]
    """The given number; or the first and the last that the search may use."""

    @property
    def seconds(self) -> float:
        """The length of a run."""
        return self.settings.days * DAY_SECONDS

    @property
    def searches(self) -> bool:
        """Whether the number is looked for."""
        return len(self.numbers) > 1

    def scenario(self, number: int) -> Scenario:
        """Return the run with this number of warm slots or streams."""
        settings = self.settings
        warm = number if self.varied == "warm" else 0
        if self.manifest is None:
            replicas = number
        else:
            scaler = scaler_of(self.manifest, settings.sync_seconds)
            replicas = min(max(scaler.minimum, warm), scaler.maximum)
        return Scenario(
            seconds=self.seconds,
            autoscaler=self.manifest,
            replicas=replicas,
            warm=warm,
            nodes=_nodes(settings),
            pod_start=parsed(settings.pod_start),
            pod_stop=parsed(settings.pod_stop),
            drain_seconds=settings.drain_seconds,
            deletion_cost=settings.pod_marks,
            sync_seconds=settings.sync_seconds,
            scrape_seconds=settings.scrape_seconds,
            seed=settings.seed,
        )


def plan_of(settings: Settings, source: Source, manifest: Mapping[str, Any] | None) -> Plan:
    """Return the runs; `manifest` is the autoscaler of a file. Raises UsageError for settings that contradict."""
    if settings.nodes_min > settings.nodes_max:
        raise UsageError("--nodes-max: must be at least --nodes-min")
    if manifest is None and settings.autoscaler != "none":
        manifest = _shipped(settings)
    varied = _varied(settings, manifest)
    given = {"warm": settings.warm, "streams": settings.streams}.get(varied)
    if given is not None:
        numbers: tuple[int, ...] = (given,)
    elif varied == "warm" and manifest is not None:
        numbers = (0, scaler_of(manifest, settings.sync_seconds).maximum)
    elif varied == "streams":
        numbers = (1, min(MAX_STREAMS, settings.nodes_max * settings.gpus_per_node * settings.streams_per_gpu))
    else:
        numbers = (0,)
    plan = Plan(settings, source, manifest, varied, numbers)
    _check_steps(plan)
    return plan


def _shipped(settings: Settings) -> dict[str, Any]:
    if settings.streams_min > settings.streams_max:
        raise UsageError("--streams-max: must be at least --streams-min")
    if settings.streams_min == 0 and settings.autoscaler != "keda":
        raise UsageError("--streams-min: must be at least 1 with this autoscaler; --autoscaler keda scales to zero")
    version = tuple(int(part) for part in settings.kubernetes.split("."))
    return shipped(settings.autoscaler, settings.streams_min, settings.streams_max, exact=version >= EXACT_SINCE)


def _varied(settings: Settings, manifest: Mapping[str, Any] | None) -> str:
    """Return the name of the number that decides about waits; raise UsageError if another one is given."""
    if manifest is None:
        if settings.warm is not None:
            raise UsageError("--warm: has no effect with --autoscaler none; give --streams or neither")
        return "streams"
    if settings.streams is not None:
        raise UsageError("--streams: has an effect with --autoscaler none only; use --streams-min and --streams-max")
    if scaler_of(manifest, 1).series.counts_warm:
        return "warm"
    if settings.warm is not None:
        raise UsageError("--warm: has no effect on the ratio that this autoscaler follows; use --autoscaler hpa")
    return ""


def _nodes(settings: Settings) -> Nodes:
    return Nodes(
        gpus=settings.gpus_per_node,
        streams_per_gpu=settings.streams_per_gpu,
        minimum=settings.nodes_min,
        maximum=settings.nodes_max,
        start=parsed(settings.node_start),
        image_pull=parsed(settings.image_pull),
        idle_seconds=settings.node_idle_seconds,
    )


def _check_steps(plan: Plan) -> None:
    """Raise UsageError for a run that would take too long because of its periods."""
    settings = plan.settings
    periods = [settings.scrape_seconds, Nodes().scan_seconds]
    if plan.manifest is not None:
        periods += [loop.seconds for loop in scaler_of(plan.manifest, settings.sync_seconds).loops]
    steps = sum(plan.seconds / period for period in periods)
    if steps > MAX_STEPS:
        raise UsageError(
            f"--days {settings.days:g}: the controllers would have {steps:,.0f} periods, and the most are "
            f"{MAX_STEPS:,}; use fewer days, or larger --scrape-seconds and --sync-seconds"
        )
