"""The bodies of REST answers about ended sessions. No I/O.

Times are seconds of unix time on the fleet store's clock.
"""

from typing import Annotated, Literal

from msgspec import Meta

from matchmaker.http.schemas import Page, Schema, Time

By = Literal["player", "operator", "streamer", "server"]
Percentile = Annotated[float | None, Meta(description="seconds, exact to 3 %; null without values")]


class PastSession(Schema, frozen=True, kw_only=True):
    """One session that has ended. What a page reports of itself is unverified."""

    id: Annotated[str, Meta(description="id of the record, for `after`; it begins with the time in milliseconds")]
    session: str
    app: str
    who: Annotated[str | None, Meta(description="subject of the player's link, token or password; null without one")]
    address: Annotated[str | None, Meta(description="the player's address, or a hash of it")]
    labels: dict[str, str]
    role: Literal["player", "spectator"]
    streamer: Annotated[str | None, Meta(description="the streamer's key; null for a player that left the queue")]
    server: str | None
    node: str | None
    queued_at: Annotated[float | None, Meta(description="null for a player that dialled its signalling server itself")]
    waited_seconds: float | None
    started_at: Time
    ended_at: float
    played_seconds: Annotated[float, Meta(description="from the player's connection to its streamer to the end")]
    first_frame_seconds: Annotated[
        dict[str, float] | None,
        Meta(description="seconds of each step to the first frame, and their `total`; null without a first frame"),
    ]
    path: Annotated[str | None, Meta(description="`direct` or `relayed`; null if it is unknown")]
    codec: str | None
    longest_stall_seconds: float
    resumed: Annotated[int, Meta(description="how often the page returned to its session")]
    away_seconds: Annotated[float, Meta(description="time without a connection, in sum")]
    ending: Annotated[
        str,
        Meta(
            description="`left`, `closed`, `lost` or `timed_out` for a player that ended it; the label of a close "
            "code; `abandoned` for a player that left the queue; `server_lost`, `streamer_lost`, or `unknown`"
        ),
    ]
    code: Annotated[int | None, Meta(description="close code of the player's connection; null if it is unknown")]
    by: By
    operator: Annotated[str | None, Meta(description="name of the operator that ended it; null if it is unknown")]


class HistoryPage(Page[PastSession], frozen=True, kw_only=True):
    """Ended sessions. `total` is the number of all records. A page may be empty although there is a next one."""


class Usage(Schema, frozen=True, kw_only=True):
    """The sessions that ended in a time, of one application or of all."""

    sessions: Annotated[int, Meta(description="those that had a streamer")]
    abandoned: Annotated[int, Meta(description="players that left the queue without a streamer")]
    minutes: Annotated[float, Meta(description="time with a streamer, in sum")]
    peak: Annotated[int, Meta(description="highest number of simultaneous sessions of those that have ended")]
    wait_p50: Percentile
    wait_p95: Percentile
    first_frame_p50: Percentile
    first_frame_p95: Percentile
    ends: Annotated[dict[str, int], Meta(description="number of sessions by how they ended")]
    paths: Annotated[dict[str, int], Meta(description="number of sessions by the path of their video, if it is known")]


class DayUsage(Usage, frozen=True, kw_only=True):
    """The usage of one day."""

    day: Annotated[str, Meta(description="the date in UTC, as 2026-01-31")]


class NamedUsage(Usage, frozen=True, kw_only=True):
    """The usage of one application."""

    app: str


class UsageReport(Schema, frozen=True, kw_only=True):
    """The usage of the latest days."""

    now: float
    complete: Annotated[bool, Meta(description="whether all records are counted; otherwise repeat the request")]
    recording: Annotated[bool, Meta(description="whether sessions are recorded")]
    records: Annotated[int, Meta(description="records that are counted, over all days and applications")]
    total: Usage
    days: Annotated[list[DayUsage], Meta(description="every day, oldest first")]
    apps: Annotated[list[NamedUsage], Meta(description="of each application, whatever `app` is, sorted by name")]
