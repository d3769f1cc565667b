"""A stand-in for a matchmaker's `/api/v1`, with an invented fleet, as the dashboard uses it."""

import asyncio
import math
import time
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import SecretStr

from matchmaker.http.contract import CONTRACT
from matchmaker.http.record_schemas import HistoryPage
from matchmaker.http.record_views import past_session, usage_report
from matchmaker.usage.days import Days
from pixelfleet.fleet.records import SessionRecord, StoredRecord
from pixelfleet.net.access import TokenGuard
from pixelfleet.net.http import json_response
from pixelfleet.net.openapi import OperatorToken

TOKEN = "t" * 20
NODES = 40
STATES = ("busy",) * 13 + ("free",) * 4 + ("aside", "draining", "not ready")


def streamer(number: int, now: float) -> dict[str, Any]:
    """Return one streamer of a large fleet; the same number gives the same streamer."""
    state = STATES[number * 7 % len(STATES)]
    pod = f"{number * 2654435761 % 2**32:08x}-5b1c-4f0e-9d2a"
    return {
        "id": f"{pod}/{('city', 'harbour', 'showroom')[number % 3]}-{number:04}",
        "serverId": pod,
        "endpointId": f"{('city', 'harbour', 'showroom')[number % 3]}-{number:04}",
        "app": ("city", "harbour", "showroom")[number % 3],
        "state": state,
        "url": "ws://10.0.0.1:80",
        "restUrl": None,
        "dialect": "5.5",
        "stock": False,
        "labels": {},
        "node": f"gpu-pool-a-{number % NODES:02}",
        "capacity": 1,
        "players": int(state == "busy"),
        "taken": int(state == "busy"),
        "sessions": [],
        "spectators": 0,
        "spectatorInput": False,
        "since": now - 60 - number * 97,
        "matchedAt": None,
        "failedDials": 4 if state == "aside" else 0,
    }


def past_sessions(now: float) -> list[StoredRecord]:
    """Return the sessions of 40 days, with fewer at weekends and in one application; oldest first."""
    numbers = Random(7)
    found = []
    for day in range(39, -1, -1):
        weekday = int(now // 86_400 - day) % 7
        for _ in range(round((60 if weekday > 1 else 25) * (1.4 - day / 80))):
            ended = now - 86_400 * day - numbers.uniform(0, 36_000)
            found.append((ended, numbers.random(), numbers.lognormvariate(1.2, 1.2), numbers.lognormvariate(6.2, 0.9)))
    return [StoredRecord(f"{round(facts[0] * 1000)}-0", past_record(*facts)) for facts in sorted(found)]


def past_record(ended: float, chance: float, waited: float, played: float) -> SessionRecord:
    """Return one past session; `chance` from 0 to 1 decides what it was like."""
    app = ("city", "city", "harbour", "showroom")[int(chance * 4000) % 4]
    if chance < 0.06:
        return SessionRecord(
            session=f"{round(ended)}", app=app, queued_at=ended - 60, ended_at=ended, cause="abandoned", code=1001
        )
    endings = (("left", "player"),) * 6 + (("closed", "player"), ("idle", "server"), ("lost", "player"))
    ending, by = (*endings, ("kicked", "operator"))[int(chance * 977) % 10]
    return SessionRecord(
        session=f"{round(ended)}",
        app=app,
        who=("ada", "grace", "")[int(chance * 300) % 3],
        streamer=f"pod/{app}-{int(chance * 900):04}",
        node="gpu-pool-a-07",
        queued_at=ended - played - waited,
        matched_at=ended - played,
        ended_at=ended,
        first_frame_seconds={"page": 0.4, "match": waited, "dial": 0.2, "picture": 0.3 + chance},
        path="relayed" if chance > 0.8 else "direct",
        longest_stall_seconds=2.5 if chance > 0.9 else 0.0,
        played_seconds=played,
        ending=ending,
        by=by,
        operator="eve" if by == "operator" else "",
    )


@dataclass
class FleetApi:
    """The fleet and the actions on it."""

    count: int = 1000
    port: int = 0
    actions: list[tuple[str, str]] = field(default_factory=list)
    streamers: dict[str, dict[str, Any]] = field(default_factory=dict)
    listeners: set[asyncio.Queue[bytes]] = field(default_factory=set)
    waits: list[float] = field(default_factory=list)
    past: list[StoredRecord] = field(default_factory=list)
    """The sessions that have ended, oldest first."""
    recording: bool = True
    usage_requests: int = 0
    refuse: int = 0
    """A status to answer instead of events."""

    def __post_init__(self) -> None:
        now = time.time()
        made = [streamer(number, now) for number in range(self.count)]
        self.streamers = {each["id"]: each for each in made}
        self.past = past_sessions(now) if self.count else []
        self.waits = [now - 4 * number for number in range(1, 24)] if self.count else []

    def app(self) -> web.Application:
        """Return an app with some of the matchmaker's operations; its answers are validated like a matchmaker's."""
        handlers: dict[str, Handler] = {
            "readyz": self._ready,
            "apps": self._apps,
            "events": self._events,
            "sessions": self._sessions,
            "queue": self._queue,
            "usage": self._usage,
            "history": self._history,
            "drain": partial(self._drain, "drain"),
            "undrain": partial(self._drain, "undrain"),
            "endSession": self._end,
        }
        operations = tuple(each for each in CONTRACT.operations if each.name in handlers)
        app = web.Application()
        token = OperatorToken(TokenGuard(SecretStr(TOKEN), "--rest-token"), open_reads=False)
        replace(CONTRACT, operations=operations).add_to(app, handlers, token)
        return app

    def totals(self) -> dict[str, Any]:
        now = time.time()
        apps = []
        for name in sorted({each["app"] for each in self.streamers.values()}):
            found = [each for each in self.streamers.values() if each["app"] == name]
            count = {state: sum(each["state"] == state for each in found) for state in STATES}
            waiting = len(self.waits) if name == "city" else 0
            apps.append(
                {
                    "app": name,
                    "streamers": count["free"] + count["busy"] + count["aside"],
                    "available": count["free"],
                    "aside": count["aside"],
                    "slots": len(found),
                    "used": count["busy"],
                    "waiting": waiting,
                    "oldestWaitSeconds": now - min(self.waits) if waiting else 0.0,
                }
            )
        return {"now": now, "young": False, "apps": apps}

    def send_event(self, name: str, data: object) -> None:
        for listener in self.listeners:
            listener.put_nowait(b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(data)))

    def change(self, *changed: dict[str, Any]) -> None:
        self.send_event("streamers", {"whole": False, "changed": list(changed), "gone": []})
        self.send_event("totals", self.totals())

    async def _ready(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _apps(self, _: web.Request) -> web.Response:
        return web.json_response(self.totals())

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self.refuse:
            return web.json_response({"error": "refused"}, status=self.refuse)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self.listeners.add(waiting)
        self.send_event("streamers", {"whole": True, "changed": list(self.streamers.values()), "gone": []})
        self.send_event("totals", self.totals())
        try:
            while True:
                await response.write(await waiting.get())
        finally:
            self.listeners.discard(waiting)

    async def _sessions(self, _: web.Request) -> web.Response:
        busy = [each for each in self.streamers.values() if each["state"] == "busy"]
        items = [
            {
                "id": f"{number * 40503 % 2**32:08x}" * 4,
                "app": each["app"],
                "streamer": each["id"],
                "state": "held" if number % 9 else "claimed",
                "role": "player",
                "arrivedAt": None,
                "matchedAt": time.time() - 30 * number,
                "deadline": None,
                "away": False,
                "replica": None,
                "who": ("ada", "grace", None)[number % 3],
                "address": "1f2e3d4c5b6a7988",
                "node": each["node"],
                "waitedSeconds": number % 40,
                "firstFrameSeconds": {"page": 0.3, "dial": 0.2, "picture": number % 7 / 4} if number % 9 else None,
                "path": ("direct", "relayed")[number % 4 == 0] if number % 9 else None,
                "codec": "H264",
                "longestStallSeconds": 2.5 if number % 11 == 0 else 0,
                "resumed": int(number % 5 == 0),
                "endsAt": time.time() + 1000 if number % 3 else None,
            }
            for number, each in enumerate(busy, 1)
        ]
        return web.json_response({"now": time.time(), "items": items, "total": len(items), "next": None})

    async def _usage(self, request: web.Request) -> web.Response:
        """Answer with the usage of the past sessions, incompletely at first."""
        self.usage_requests += 1
        counted = self.past if self.usage_requests > 1 else self.past[: len(self.past) // 2]
        days = Days()
        for stored in counted:
            days.add(stored.record)
        report = usage_report(
            days,
            time.time(),
            days=int(request.query["days"]),
            app=request.query.get("app", ""),
            complete=len(counted) == len(self.past),
            recording=self.recording,
        )
        return json_response(report)

    async def _history(self, request: web.Request) -> web.Response:
        newest = [each for each in reversed(self.past) if request.query.get("app") in (None, each.record.app)]
        start = next((at + 1 for at, each in enumerate(newest) if each.id == request.query.get("after")), 0)
        shown = newest[start : start + int(request.query["limit"])]
        following = shown[-1].id if start + len(shown) < len(newest) else None
        items = [past_session(each) for each in shown]
        return json_response(HistoryPage(now=time.time(), items=items, total=len(newest), next=following))

    async def _queue(self, _: web.Request) -> web.Response:
        items = [
            {
                "id": f"{number * 69069 % 2**32:08x}" * 4,
                "app": "city",
                "position": number,
                "wants": None,
                "labels": {"region": "eu"} if number % 3 == 0 else {},
                "priority": 0,
                "arrivedAt": arrived,
                "waitedSeconds": 0,
                "replica": "r",
            }
            for number, arrived in enumerate(sorted(self.waits), 1)
        ]
        return web.json_response({"now": time.time(), "items": items, "total": len(items), "next": None})

    async def _drain(self, does: str, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        self.actions.append((does, name))
        if name not in self.streamers:
            return web.json_response({"error": "no such streamer"}, status=404)
        self.streamers[name] = {**self.streamers[name], "state": "draining" if does == "drain" else "free"}
        self.change(self.streamers[name])
        return web.json_response(self.streamers[name])

    async def _end(self, request: web.Request) -> web.Response:
        self.actions.append(("kick", request.match_info["id"]))
        return web.json_response({"id": request.match_info["id"], "state": "ending"}, status=202)

    def hour(self) -> list[tuple[float, list[int]]]:
        """Return an hour of history: time, and players, free, waiting, longest wait."""
        now = time.time()
        found = []
        for step in range(359):
            wave = math.sin(step / 40) + math.sin(step / 13) / 3
            players = round(560 + 90 * wave)
            waiting = max(0, round(30 * wave - 8))
            numbers = [players, max(0, 850 - players), waiting, waiting * 4] if self.count else [0, 0, 0, 0]
            found.append((now - 3600 + 10 * step, numbers))
        return found
