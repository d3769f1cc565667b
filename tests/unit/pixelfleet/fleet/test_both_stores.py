"""Property test: the same calls on a real server and on the commands in memory give the same replies.

Both run the same scripts, so this compares the commands in memory with the server in realistic sequences.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pixelfleet.fleet.bounds import ARRIVAL_SECONDS
from pixelfleet.fleet.model import (
    AppTotals,
    FleetSnapshot,
    Lease,
    LeaseState,
    Renewal,
    Reported,
    ServerReport,
    StreamerReport,
    Ticket,
    Totals,
    Waiting,
)
from pixelfleet.fleet.store import FleetStore, TicketRefusedError, lane_of
from tests.unit.pixelfleet.fleet.recount import recount
from tests.unit.pixelfleet.fleet.stores import Clock, Fleet, empty_store, streamer, ticket

SESSIONS = tuple(f"p{number}" for number in range(8))
UNLEASED = ("x1", "x2")
"""Sessions without a ticket."""
REPLICAS = ("r1", "r2")
APPS = ("a", "a", "a", "b")
LABELS: tuple[dict[str, str], ...] = ({}, {}, {"region": "eu"}, {"region": "eu", "gpu": "a10"}, {"region": "us"})
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
"""Without the explain phase, in which Hypothesis reads files while the loop runs."""
STEPS = (0.0, 0.1, 0.7, 1.1, 2.3, 5.3, 11.3, 47.3)


@dataclass
class Step:
    """One call with its arguments; without a call, time passes."""

    name: str
    arguments: dict[str, Any]
    call: Callable[..., Awaitable[Any]] | None = None

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"


@dataclass
class Owners:
    """The state of the owners, which is the same for both stores."""

    clock: Clock
    sequences: dict[str, int] = field(default_factory=dict)
    fences: dict[tuple[str, str], int] = field(default_factory=dict)


# -- calls ------------------------------------------------------------------------------------------

some_sessions = st.lists(st.sampled_from((*SESSIONS, *UNLEASED)), max_size=3, unique=True).map(tuple)
tickets = st.builds(
    ticket,
    st.sampled_from(SESSIONS),
    replica=st.sampled_from(REPLICAS),
    app=st.sampled_from(APPS),
    wants=st.sampled_from(("", "", "", "", "*", "s1/cam", "cam", "p0", "p1", "nobody")),
    may_share=st.booleans(),
    spectator=st.sampled_from((False, False, False, True)),
    labels=st.sampled_from(LABELS),
    priority=st.sampled_from((0, 0, 0, 3)),
)


@st.composite
def reports(draw: st.DrawFn) -> tuple[ServerReport, int]:
    """Return a report, and the step from the server's last sequence number to that of the report."""
    server = draw(st.sampled_from(("s1", "s2", "s3", "s4")))
    owner = draw(st.sampled_from(("", "", "", *REPLICAS)))
    streamers = []
    for endpoint in draw(st.sampled_from((("cam",), ("cam",), ("cam", "other"), ()))):
        report: StreamerReport = streamer(
            server,
            endpoint,
            app=draw(st.sampled_from(APPS)),
            capacity=draw(st.sampled_from((1, 1, 2, 3, 0))),
            sessions=draw(some_sessions) if not owner else (),
            spectators=draw(some_sessions) if draw(st.booleans()) else (),
            labels=draw(st.sampled_from(LABELS)),
            node=draw(st.sampled_from(("", "n1", "n1", "n2"))),
            ready=draw(st.sampled_from((True, True, True, False))),
            draining=draw(st.sampled_from((False, False, False, True))),
            legacy=bool(owner),
            players=draw(st.integers(0, 2)) if owner else 0,
        )
        streamers.append(report)
    ended = draw(st.lists(st.sampled_from(SESSIONS), max_size=2).map(tuple)) if draw(st.booleans()) else ()
    step = draw(st.sampled_from((1, 1, 1, 1, 0, -1)))
    fence = draw(st.sampled_from((0, 1, 1, 1)))
    report_ = ServerReport(
        server_id=server, sequence=0, streamers=tuple(streamers), ended=ended, owner=owner, fence=fence if owner else 0
    )
    return report_, step


async def send_report(store: FleetStore, owners: Owners, report: tuple[ServerReport, int]) -> Any:
    template, step = report
    numbered = msgspec.structs.replace(
        template,
        sequence=max(0, owners.sequences.get(template.server_id, 10) + step),
        fence=owners.fences.get((template.server_id, template.owner), 0) if template.fence else 0,
    )
    return await store.report(numbered)


def steps_of(
    method: str, call: Callable[..., Awaitable[Any]], /, **given_: st.SearchStrategy[Any]
) -> st.SearchStrategy[Step]:
    return st.fixed_dictionaries(given_).map(lambda values: Step(method, values, call))


session_ids = st.sampled_from(SESSIONS)


@st.composite
def restores(draw: st.DrawFn) -> Step:
    """A snapshot of a replica that is partly wrong."""
    replica = draw(st.sampled_from(REPLICAS))
    restored = draw(st.lists(tickets, max_size=4, unique_by=lambda each: each.session_id))
    arrivals = [(each, draw(st.integers(900, 1000)) + index / 8) for index, each in enumerate(restored)]
    leases = []
    for each, arrived in arrivals:
        if draw(st.booleans()):
            chosen = streamer(draw(st.sampled_from(("s1", "s2", "s9"))), app=each.app, legacy=draw(st.booleans()))
            lease = Lease(
                session_id=each.session_id,
                replica_id=replica,
                streamer=chosen,
                state=LeaseState.CLAIMED,
                spectator=draw(st.sampled_from((False, False, True))),
                arrived=arrived,
            )
            leases.append((each, lease))
    leased = {each.session_id for each, _ in leases}
    waiting = [(each, arrived) for each, arrived in arrivals if each.session_id not in leased]

    async def call(store: FleetStore, _: Owners, **arguments: Any) -> None:
        await store.restore(
            arguments["replica"], arguments["waiting"], arguments["leases"], complete=arguments["complete"]
        )

    arguments = {"replica": replica, "waiting": waiting, "leases": leases, "complete": draw(st.booleans())}
    return Step("restore", arguments, call)


async def joins(store: FleetStore, _: Owners, join_request: Ticket) -> Any:
    try:
        return await store.join(join_request)
    except TicketRefusedError:
        return "too many"


steps = st.one_of(
    steps_of("report", send_report, report=reports()),
    steps_of("report", send_report, report=reports()),
    steps_of("join", joins, join_request=tickets),
    steps_of("join", joins, join_request=tickets),
    steps_of(
        "renew",
        lambda store, _, name, epoch: store.renew(name, epoch),
        name=st.sampled_from(REPLICAS),
        epoch=st.sampled_from(("", "", "an earlier one")),
    ),
    steps_of(
        "fails_over",
        lambda store, owners, process: Fleet(store, owners.clock).run("epoch", process),
        process=st.sampled_from(("x", "y")),
    ),
    steps_of("loses_data", lambda store, owners: Fleet(store, owners.clock).loses_data()),
    steps_of(
        "leave",
        lambda store, _, names, by: store.leave(*names, replica_id=by),
        names=st.lists(session_ids, min_size=1, max_size=3),
        by=st.sampled_from(("", "", "r1")),
    ),
    steps_of(
        "give_back",
        lambda store, _, name, key, bad: store.give_back(name, key, unreachable=bad),
        name=session_ids,
        key=st.sampled_from(("", "", "s1/cam")),
        bad=st.booleans(),
    ),
    steps_of("reserve", lambda store, _, join_request: store.reserve(join_request), join_request=tickets),
    restores(),
    steps_of(
        "set_operator_drain",
        lambda store, _, key, on: store.set_operator_drain(key, on),
        key=st.sampled_from(("s1/cam", "s2/cam")),
        on=st.booleans(),
    ),
    steps_of("end", lambda store, _, name: store.end(name), name=session_ids),
    steps_of("extend", lambda store, _, name: store.extend(name, 60.0), name=session_ids),
    steps_of(
        "set_policies",
        lambda store, _, policy: store.set_policies({"a": policy, "nowhere": "pack"}),
        policy=st.sampled_from(("spread", "pack", "pack", "oldest")),
    ),
    st.sampled_from(STEPS).map(lambda seconds: Step("passes", {"seconds": seconds})),
)

# -- replies ----------------------------------------------------------------------------------------


def plain(reply: Any) -> Any:
    """Return a reply without parts that may differ: the epoch, and the order of leases."""
    if isinstance(reply, Renewal):
        return (
            reply.sessions,
            reply.end,
            reply.operator_drained,
            sorted(reply.leases, key=lambda each: each.session_id),
        )
    return reply


async def everything(store: FleetStore) -> tuple[FleetSnapshot, Totals]:
    return await store.snapshot(), await store.totals()


def check_totals(known: FleetSnapshot, totals: Totals, legacy_from: float) -> None:
    counted = recount(known, legacy_from)
    for name, app in totals.apps.items():
        assert app == counted.get(name, AppTotals()), name
    assert totals.unknown_waiting == sum(app.waiting for name, app in counted.items() if name not in totals.apps)


async def compare(url: str, sequence: list[Step]) -> None:
    clock = Clock()
    async with empty_store(url, clock) as redis:
        clock.now = 1000.0
        async with empty_store("", clock) as memory:
            owners = Owners(clock)
            for store in (redis, memory):
                await Fleet(store, clock).run("epoch", "the same process")  # the same epoch in both
            clock.advance(ARRIVAL_SECONDS)
            for step in sequence:
                if step.call is None:
                    clock.advance(step.arguments["seconds"])
                else:
                    from_redis = await step.call(redis, owners, **step.arguments)
                    from_memory = await step.call(memory, owners, **step.arguments)
                    assert plain(from_redis) == plain(from_memory), step
                    if isinstance(from_memory, Reported):
                        record(owners, step.arguments["report"][0], from_memory)
                on_redis, in_memory = await everything(redis), await everything(memory)
                assert on_redis == in_memory, step
                check_totals(*in_memory, await Fleet(memory, clock).legacy_from())
                await check_lanes(redis, memory, in_memory[0])


def record(owners: Owners, report: ServerReport, reply: Reported) -> None:
    """Continue the sequence and the fence after an accepted report."""
    if reply.taken:
        owners.sequences[report.server_id] = owners.sequences.get(report.server_id, 10) + 1
        owners.fences[report.server_id, report.owner] = reply.fence


async def check_lanes(one: FleetStore, other: FleetStore, known: FleetSnapshot) -> None:
    names = sorted({lane_of(each.ticket) for each in known.queue} | {"a\x1f", "nowhere\x1f"})
    views = await one.lanes(names)
    assert views == await other.lanes(names)
    for view in views:
        waiting: list[Waiting] = [each for each in known.queue if lane_of(each.ticket) == view.lane]
        assert view.head == tuple(each.ticket.session_id for each in waiting)


def test_both_stores_give_the_same_replies(redis_url: str) -> None:
    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
    @given(sequence=st.lists(steps, min_size=5, max_size=40))
    def check(sequence: list[Step]) -> None:
        asyncio.run(compare(redis_url, sequence))

    check()
