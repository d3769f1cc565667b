"""The settings of the limits of a session."""

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

from pydantic import Field, model_validator

from pixelfleet.fleet.limits import SessionLimits
from pixelfleet.fleet.settings import FleetSettings
from pixelfleet.service.values import Seconds
from signalserver.core.limits import REPORT_SECONDS
from signalserver.core.session_time import SessionRules

MIN_IDLE_SECONDS: Final = REPORT_SECONDS + 5
"""A shorter idle time would end sessions whose page has not reported its last input yet."""


class LimitSettings(FleetSettings):
    """The limits of each session of one server, and so of one application."""

    sections: ClassVar[Mapping[str, str]] = {"session_seconds": "Limits of a session"}

    session_seconds: Seconds = Field(
        0.0, ge=0, description="A session that has lasted this long is closed with code 4209; 0 is no limit."
    )
    idle_seconds: Seconds = Field(
        0.0,
        ge=0,
        description="A session without input for this time, as its page reports it, is closed with code 4210; 0 is no "
        f"limit. The least time is {MIN_IDLE_SECONDS} s.",
    )
    warn_seconds: Seconds = Field(
        60.0,
        ge=0,
        description="The page shows a countdown for this time before a limit ends its session; with 0 it shows none.",
    )
    hidden_seconds: Seconds = Field(
        0.0,
        ge=0,
        description="The time while the page's tab is hidden does not count for the limits of a session, up to this "
        "time in sum. With 0 it always counts.",
    )
    silent_pages: Literal["idle", "active"] = Field(
        "idle",
        description="A page that never reports its input, such as that of Epic Games, has no input (idle) or is not "
        "closed by --idle-seconds (active).",
    )

    max_people: int = Field(
        8,
        ge=1,
        le=256,
        description="The host of a session and the people whom it has invited are at most this many. A further one is "
        "closed with code 4213. With 1 there are no invites.",
    )
    max_invites: int = Field(
        32, ge=0, le=10_000, description="The page of one host may make this many invites in a session."
    )

    @model_validator(mode="after")
    def _idle_time_exceeds_reports(self) -> "LimitSettings":
        if 0 < self.idle_seconds < MIN_IDLE_SECONDS:
            raise ValueError(f"--idle-seconds: must be 0, or {MIN_IDLE_SECONDS} or more")
        return self

    def session_rules(self, own: SessionLimits | None = None) -> SessionRules:
        """Return the limits of each session, or of one with limits of its own.

        An idle time that is shorter than MIN_IDLE_SECONDS is raised to that.
        """
        time, idle = (own.session_seconds, own.idle_seconds) if own is not None else (None, None)
        return SessionRules(
            session_seconds=self.session_seconds if time is None else time,
            idle_seconds=self.idle_seconds if idle is None else max(idle, MIN_IDLE_SECONDS) if idle else 0.0,
            warn_seconds=self.warn_seconds,
            hidden_seconds=self.hidden_seconds,
            silent_is_idle=self.silent_pages == "idle",
        )
