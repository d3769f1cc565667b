"""Bodies of REST answers of the matchmaker."""

from typing import Any

from matchmaker.http.record_schemas import PastSession
from matchmaker.http.schemas import App, AuditRecord, Session, Streamer, StreamerPage, Waiting
from pixelfleet.fleet.model import LeaseState


def streamer(**fields: Any) -> Streamer:
    body: dict[str, Any] = {
        "id": "s1/cam",
        "server_id": "s1",
        "endpoint_id": "cam",
        "app": "car",
        "state": "free",
        "url": "ws://10.0.0.1:4000",
        "rest_url": None,
        "dialect": "current",
        "stock": False,
        "labels": {},
        "node": "",
        "capacity": None,
        "players": 0,
        "taken": 0,
        "sessions": [],
        "spectators": 0,
        "spectator_input": False,
        "since": None,
        "matched_at": None,
        "failed_dials": 0,
    }
    return Streamer(**{**body, **fields})


def session(*, away: bool = False, **fields: Any) -> Session:
    facts: dict[str, Any] = {
        "who": None,
        "address": None,
        "node": "",
        "waited_seconds": None,
        "first_frame_seconds": None,
        "path": None,
        "codec": None,
        "longest_stall_seconds": 0.0,
        "resumed": 0,
        "ends_at": None,
    }
    return Session(
        **{**facts, **fields},
        away=away,
        id="x",
        app="car",
        streamer="s1/cam",
        state=LeaseState.HELD,
        role="player",
        arrived_at=None,
        matched_at=None,
        deadline=None,
        replica=None,
    )


def past_session(**fields: Any) -> PastSession:
    body: dict[str, Any] = {
        "id": "1800000000000-0",
        "session": "x",
        "app": "car",
        "who": None,
        "address": None,
        "labels": {},
        "role": "player",
        "streamer": "s1/cam",
        "server": "s1",
        "node": "gpu-1",
        "queued_at": 1_800_000_000.0,
        "waited_seconds": 10.0,
        "started_at": 1_800_000_010.0,
        "ended_at": 1_800_000_070.0,
        "played_seconds": 60.0,
        "first_frame_seconds": {"page": 0.5, "total": 0.5},
        "path": "direct",
        "codec": "H264",
        "longest_stall_seconds": 0.0,
        "resumed": 0,
        "away_seconds": 0.0,
        "ending": "left",
        "code": 1000,
        "by": "player",
        "operator": None,
    }
    return PastSession(**{**body, **fields})


def audit_record(subject: str | None = None) -> AuditRecord:
    return AuditRecord(
        id="1000000000",
        at=1000.0,
        action="drain",
        target="s1/cam",
        subject=subject,
        method="token",
        address="192.0.2.7",
        service="matchmaker",
    )


def waiting() -> Waiting:
    return Waiting(
        id="x",
        app="car",
        position=1,
        wants=None,
        labels={},
        priority=0,
        arrived_at=None,
        waited_seconds=0.0,
        replica="r",
    )


def app() -> App:
    return App(app="car", streamers=1, available=1, aside=0, slots=None, used=0, waiting=0, oldest_wait_seconds=0.0)


def page(count: int, following: str | None, total: int = 2500) -> StreamerPage:
    return StreamerPage(now=1.0, items=[streamer()] * count, total=total, next=following)
