"""Settings of `pixelfleet loadtest`."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from pixelfleet.service.settings import ServiceSettings
from pixelfleet.service.values import File, Seconds, Url
from pixelfleet_cli.simulate.settings import Times

MAX_SECONDS = 86_400
MAX_PLAYERS = 1_000_000
MAX_CONCURRENT = 50_000
MAX_STREAMERS = 5_000
MAX_MEDIA = 64


class Settings(ServiceSettings):
    """The command lets players arrive at an installation and measures what they meet: the wait for a streamer, errors,
    and the CPU and memory of the services. It is for your own installations. TIMES are seconds, exponential:MEAN,
    lognormal:MEDIAN:SIGMA, uniform:LEAST:MOST or samples:A:B:C.
    """

    model_config = SettingsConfigDict(env_prefix="PIXELFLEET_LOADTEST_")
    command: ClassVar[str] = "loadtest"
    sections: ClassVar[Mapping[str, str]] = {
        "url": "Target and duration",
        "rate": "Players",
        "streamers": "Test streamers",
        "metrics_url": "Measurements and output",
    }
    unused: ClassVar[frozenset[str]] = frozenset({"host"})

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="The log contains events of this level and of higher levels."
    )

    url: Url = Field(
        "http://127.0.0.1:8080/",
        max_length=2048,
        description="Players open this page or websocket of a router, a matchmaker or a signalling server. A query, "
        "such as ?app=car or a signed link, is passed on.",
    )
    yes_i_own_it: bool = Field(
        False, description="The target may be on another machine: it is yours, and the load is planned."
    )
    seconds: Seconds = Field(60, gt=0, le=MAX_SECONDS, description="The test ends after this time.")

    rate: float = Field(5, gt=0, le=10_000, description="This number of players arrives per second, at random times.")
    ramp_seconds: Seconds = Field(0, ge=0, le=MAX_SECONDS, description="The rate rises evenly from 0 during this time.")
    arrivals_file: File | None = Field(
        None,
        description="This file has the arrivals in place of --rate and --ramp-seconds, in the formats of pixelfleet "
        "simulate: CSV with times and optionally session lengths, or an answer of Prometheus with players per hour.",
    )
    players: int = Field(100_000, ge=1, le=MAX_PLAYERS, description="At most this number of players arrives.")
    concurrent: int = Field(
        1000,
        ge=1,
        le=MAX_CONCURRENT,
        description="At most this number of players is present at once. Further arrivals are skipped and counted.",
    )
    hold: Times = Field("exponential:30", description="A player leaves these times after it got its streamer.")
    patience: Times = Field("300", description="A waiting player gives up after these times.")
    negotiate: bool = Field(
        False,
        description="Players without media also subscribe, and answer the streamer's offer. Use it with test streamers "
        "only: an application would wait for their media.",
    )
    media: int = Field(
        0,
        ge=0,
        le=MAX_MEDIA,
        description="At most this number of players at a time receives and decodes the media over WebRTC, with a core "
        "of this machine for about three of them.",
    )
    drops_per_minute: float = Field(
        0,
        ge=0,
        le=600,
        description="The websocket of each playing player without media drops this often on average, and the player "
        "returns.",
    )
    away_seconds: Seconds = Field(0, ge=0, le=600, description="A dropped player returns after this time.")
    resume: bool = Field(
        True, description="Players return to their sessions as the page does. Otherwise they join anew."
    )
    seed: int = Field(1, ge=0, description="Tests with the same seed and settings have the same arrivals.")

    streamers: int = Field(
        0, ge=0, le=MAX_STREAMERS, description="This number of test streamers connects before the players."
    )
    streamer_url: Url = Field(
        "ws://127.0.0.1:8888", max_length=2048, description="Test streamers connect to this signalling server."
    )
    streamer_media: bool = Field(
        False, description="Test streamers send media, which takes about a fifth of a core each. Others only negotiate."
    )

    metrics_url: list[Url] = Field(
        default_factory=list,
        max_length=16,
        description="The CPU time and memory of the services with these URLs of metrics are recorded.",
    )
    processes: bool = Field(
        True, description="The CPU time and memory of services on this machine are recorded, for a target on it."
    )
    max_errors: int = Field(0, ge=0, description="With more errors than this the exit code is 1.")
    output: Literal["table", "json"] = Field(
        "table",
        description="The results are printed as tables for a terminal, or as JSON; --json is short for the latter.",
    )
    html: File | None = Field(None, description="The report with its plots is written to this file, as one HTML page.")

    @classmethod
    def translate_arguments(cls, arguments: Sequence[str], keys: Mapping[str, object] | None) -> list[str]:
        """Return the arguments with `--output=json` in place of `--json`, as the other commands have it."""
        return ["--output=json" if each == "--json" else each for each in arguments]
