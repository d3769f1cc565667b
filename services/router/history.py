"""Samples of the last hour, for the dashboard's charts. No I/O, no clock."""

from collections import deque
from typing import Annotated, Final

import msgspec
from msgspec import Meta

STEP_SECONDS: Final = 10.0
HOUR_SECONDS: Final = 3600.0


class AppNumbers(msgspec.Struct, frozen=True, rename="camel"):
    """The totals of one app in a matchmaker's answer; fields that are not drawn are omitted."""

    app: str
    available: int = 0
    used: int = 0
    waiting: int = 0
    oldest_wait_seconds: float = 0.0


class Totals(msgspec.Struct, frozen=True):
    """The totals of all apps in a matchmaker's answer."""

    now: float
    warming_up: bool = msgspec.field(default=False, name="young")
    apps: tuple[AppNumbers, ...] = ()


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """The fleet at one moment. An array in JSON, since there are many."""

    at: Annotated[float, Meta(description="unix time in seconds, on the fleet store's clock")]
    players: Annotated[int, Meta(description="slots that are occupied or leased")]
    free: Annotated[int, Meta(description="streamers with a free slot")]
    waiting: Annotated[int, Meta(description="sessions in the queues")]
    longest_wait: Annotated[float, Meta(description="seconds that the first session of the longest queue has waited")]


class LastHour(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fleet in the last hour."""

    step: Annotated[float, Meta(description="seconds between samples")]
    samples: Annotated[list[Sample], Meta(description="oldest first")]
    user: Annotated[str, Meta(description="subject of the authenticated operator")]
    signed_in: Annotated[bool, Meta(description="whether the operator has signed in with the browser")] = False


class History:
    """Samples of the last hour, oldest first."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=round(HOUR_SECONDS / STEP_SECONDS))

    def add(self, totals: Totals) -> None:
        """Add a sample, unless the store is warming up or the totals are not newer than the last sample."""
        if totals.warming_up or (self._samples and totals.now <= self._samples[-1].at):
            return
        apps = totals.apps
        self._samples.append(
            Sample(
                round(totals.now, 1),
                sum(app.used for app in apps),
                sum(app.available for app in apps),
                sum(app.waiting for app in apps),
                round(max((app.oldest_wait_seconds for app in apps), default=0.0), 1),
            )
        )
        while self._samples and self._samples[0].at < totals.now - HOUR_SECONDS:
            self._samples.popleft()

    def view(self, user: str, *, signed_in: bool = False) -> LastHour:
        """Return the samples as the dashboard requests them, with the user's name."""
        return LastHour(step=STEP_SECONDS, samples=list(self._samples), user=user, signed_in=signed_in)
