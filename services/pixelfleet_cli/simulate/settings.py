"""Settings of `pixelfleet simulate`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from pixelfleet.capacity.arrivals import rates
from pixelfleet.capacity.durations import parsed
from pixelfleet.capacity.scenario import MAX_DAYS, MAX_NODES, MAX_STREAMS
from pixelfleet.service.settings import ServiceSettings
from pixelfleet.service.values import File, Placeholder, Seconds


def _durations(text: str) -> str:
    parsed(text)
    return text


def _rates(numbers: list[float]) -> list[float]:
    rates(numbers)
    return numbers


Times = Annotated[str, AfterValidator(_durations), Placeholder("TIMES")]
Rates = Annotated[list[Annotated[float, Placeholder("RATE")]], AfterValidator(_rates)]
Version = Annotated[str, Placeholder("VERSION")]
Price = Annotated[float, Placeholder("PRICE")]


class Settings(ServiceSettings):
    """The command simulates players, streams, their autoscaler and GPU nodes, and finds the smallest number of warm
    slots (or of streams) with which enough players wait a short time only. TIMES are seconds, exponential:MEAN,
    lognormal:MEDIAN:SIGMA, uniform:LEAST:MOST or samples:A:B:C.
    """

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_SIMULATE_")
    command: ClassVar[str] = "simulate"
    sections: ClassVar[Mapping[str, str]] = {
        "rates": "Players",
        "target_percent": "Target",
        "autoscaler": "Streams",
        "gpus_per_node": "GPUs and nodes",
        "node_start": "Start and stop",
        "days": "Run and output",
    }
    unused: ClassVar[frozenset[str]] = frozenset({"host", "log_level", "log_format"})

    rates: Rates = Field(
        default=[60],
        description="Players arrive at these rates per hour: one number, 24 for the hours of a day, or 168 for those "
        "of a week.",
    )
    arrivals_file: File | None = Field(
        None,
        description="This file has the arrivals in place of --rates. It is CSV with a time in each line, in seconds or "
        "as in 2026-01-31T18:00:00Z, and optionally the seconds of the session. Or it is the output of "
        "`pixelfleet fleet export`, or the JSON answer of a range query of Prometheus, whose values are players per "
        "hour.",
    )
    session: Times = Field("exponential:600", description="A session lasts for these times.")
    patience: Times = Field("300", description="A waiting player gives up after these times.")

    target_percent: float = Field(
        95, gt=0, le=100, description="This percentage of the players is to wait at most the target time."
    )
    target_seconds: Seconds = Field(10, ge=0, le=86_400, description="This is the target time of a wait.")
    warm: int | None = Field(
        None,
        ge=0,
        le=MAX_STREAMS,
        description="The run has this number of warm slots. Without it, the command finds the smallest number that "
        "meets the target.",
    )
    streams: int | None = Field(
        None,
        ge=1,
        le=MAX_STREAMS,
        description="The fleet has this number of streams, with --autoscaler none. Without it, the command finds the "
        "smallest number that meets the target.",
    )

    autoscaler: Literal["hpa", "hpa-ratio", "keda", "none"] = Field(
        "hpa", description="The streams have this autoscaler, as AUTOSCALING of `pixelfleet configure`."
    )
    autoscaler_file: File | None = Field(
        None,
        description="The streams have the HorizontalPodAutoscaler or ScaledObject in this file, as kubectl get -o json "
        "prints it, in place of --autoscaler, --streams-min, --streams-max and --kubernetes.",
    )
    kubernetes: Version = Field(
        "1.35",
        pattern=r"^1\.(29|[3-9][0-9])$",
        description="The cluster has this version. Before 1.35 its autoscalers ignore deviations of 10 %.",
    )
    streams_min: int = Field(1, ge=0, le=MAX_STREAMS, description="The autoscaler keeps at least this many streams.")
    streams_max: int = Field(100, ge=1, le=MAX_STREAMS, description="The autoscaler starts at most this many streams.")
    sync_seconds: Seconds = Field(
        15, ge=1, le=600, description="This is the period of the controller of HorizontalPodAutoscalers."
    )
    scrape_seconds: Seconds = Field(15, ge=1, le=600, description="Prometheus reads the matchmakers in this period.")
    pod_marks: bool = Field(
        True, description="Busy pods are marked, so that idle ones are removed first (component pod-marks)."
    )

    gpus_per_node: int = Field(1, ge=1, le=64, description="A node has this number of GPUs.")
    streams_per_gpu: int = Field(1, ge=1, le=64, description="A GPU serves this number of streams.")
    nodes_min: int = Field(0, ge=0, le=MAX_NODES, description="There are always at least this many GPU nodes.")
    nodes_max: int = Field(
        MAX_NODES,
        ge=1,
        le=MAX_NODES,
        description="There are at most this many GPU nodes. With the same number as minimum, nodes are neither added "
        "nor removed.",
    )
    node_idle_seconds: Seconds = Field(
        600, ge=0, le=86_400, description="A node without a pod is removed after this time."
    )
    gpu_price: Price = Field(0, ge=0, le=1_000_000, description="A GPU costs this per hour, in any currency.")

    node_start: Times = Field("180", description="An ordered node is ready after these times.")
    image_pull: Times = Field("120", description="A new node has the image of the application after these times.")
    pod_start: Times = Field("30", description="A pod on a node with the image is ready after these times.")
    pod_stop: Times = Field("5", description="A removed pod without a player frees its GPU after these times.")
    drain_seconds: Seconds = Field(
        3600, ge=0, le=604_800, description="The session of a removed pod is ended after this time."
    )

    days: float = Field(7, gt=0, le=MAX_DAYS, description="A run has this number of days.")
    seed: int = Field(1, ge=0, description="Runs with the same seed and settings have the same results.")
    output: Literal["table", "json"] = Field(
        "table",
        description="The results are printed as tables for a terminal, or as JSON; --json is short for the latter.",
    )
    html: File | None = Field(None, description="The report with its plots is written to this file, as one HTML page.")

    @classmethod
    def translate_arguments(cls, arguments: Sequence[str], keys: Mapping[str, object] | None) -> list[str]:
        """Return the arguments with `--output=json` in place of `--json`, as the other commands have it."""
        return ["--output=json" if each == "--json" else each for each in arguments]
