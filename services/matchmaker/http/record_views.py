"""Converts records of ended sessions, and the usage, to the bodies of REST answers. No I/O."""

from datetime import UTC, datetime
from typing import Any, cast

from matchmaker.http import record_schemas as schemas
from matchmaker.usage.days import DAY_SECONDS, AppUsage, Days
from pixelfleet.fleet.records import StoredRecord


def past_session(stored: StoredRecord) -> schemas.PastSession:
    """Return one ended session."""
    record = stored.record
    steps = record.first_frame_seconds
    return schemas.PastSession(
        id=stored.id,
        session=record.session,
        app=record.app,
        who=record.who or None,
        address=record.address or None,
        labels=record.labels,
        role="spectator" if record.spectator else "player",
        streamer=record.streamer or None,
        server=record.server or None,
        node=record.node or None,
        queued_at=record.queued_at,
        waited_seconds=_rounded(record.waited_seconds),
        started_at=_rounded(record.started_at),
        ended_at=record.ended_at,
        played_seconds=round(record.seconds_played, 3),
        first_frame_seconds={**steps, "total": round(sum(steps.values()), 3)} if steps else None,
        path=record.path or None,
        codec=record.codec or None,
        longest_stall_seconds=record.longest_stall_seconds,
        resumed=record.resumed,
        away_seconds=record.away_seconds,
        ending=record.end.ending,
        code=record.code or None,
        by=cast("schemas.By", record.end.by),
        operator=record.operator or None,
    )


def usage_report(
    usage: Days, now: float, *, days: int, app: str, complete: bool, recording: bool
) -> schemas.UsageReport:
    """Return the usage of the latest days up to `now`, of one application or, without `app`, of all."""
    today = int(now // DAY_SECONDS)
    span = range(today - days + 1, today + 1)
    chosen = [usage.of(day, app) for day in span]
    return schemas.UsageReport(
        now=now,
        complete=complete,
        recording=recording,
        records=usage.records,
        total=schemas.Usage(**_fields(AppUsage.of_days(chosen))),
        days=[schemas.DayUsage(day=_date(day), **_fields(each)) for day, each in zip(span, chosen, strict=True)],
        apps=[
            schemas.NamedUsage(app=name, **_fields(AppUsage.of_days(usages)))
            for name, usages in usage.apps(span).items()
        ],
    )


def _fields(usage: AppUsage) -> dict[str, Any]:
    return {
        "sessions": usage.sessions,
        "abandoned": usage.abandoned,
        "minutes": round(usage.seconds / 60, 1),
        "peak": usage.peak,
        "wait_p50": usage.waits.percentile(0.5),
        "wait_p95": usage.waits.percentile(0.95),
        "first_frame_p50": usage.first_frames.percentile(0.5),
        "first_frame_p95": usage.first_frames.percentile(0.95),
        "ends": dict(usage.ends.most_common()),
        "paths": dict(usage.paths.most_common()),
    }


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_SECONDS, UTC).date().isoformat()


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
