"""The same calls on a real server and on the commands in memory give the same replies: both run the same scripts.

This holds the commands in memory to the server in the sequences in which the scripts use them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

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
from pixelfleet.fleet.store import FleetStore, TooManyChoicesError, lane_of
from tests.unit.pixelfleet.fleet.recount import recount
from tests.unit.pixelfleet.fleet.stores import Clock, empty_store, streamer, ticket

SESSIONS = tuple(f"p{number}" for number in range(8))
STRANGERS = ("x1", "x2")
REPLICAS = ("r1", "r2")
APPS = ("a", "a", "a", "b")
LABELS: tuple[dict[str, str], ...] = ({}, {}, {"region": "eu"}, {"region": "eu", "gpu": "a10"}, {"region": "us"})
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
"""Without an explanation, for which Hypothesis reads files while the loop runs."""
STEPS = (0.0, 0.1, 0.7, 1.1, 2.3, 5.3, 11.3, 47.3)


@dataclass
class Step:
    """One call, with what it is given; without a name time passes."""

    name: str
    given: dict[str, Any]
    call: Callable[..., Awaitable[Any]] | None = None

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.given.items())})"


@dataclass
class Told:
    """What the owners know, which is the same for both stores."""

    clock: Clock
    sequences: dict[str, int] = field(default_factory=dict)
    fences: dict[tuple[str, str], int] = field(default_factory=dict)


# -- what they are told -----------------------------------------------------------------------------

some_sessions = st.lists(st.sampled_from((*SESSIONS, *STRANGERS)), max_size=3, unique=True).map(tuple)
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
    """Return a report with a step of its sequence in place of that."""
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
    said = ServerReport(
        server_id=server, sequence=0, streamers=tuple(streamers), ended=ended, owner=owner, fence=fence if owner else 0
    )
    return said, step


async def tells(store: FleetStore, told: "Told", said: ServerReport, forward: int) -> Any:
    server = said.server_id
    report = msgspec.structs.replace(
        said,
        sequence=max(0, told.sequences.get(server, 10) + forward),
        fence=told.fences.get((server, said.owner), 0) if said.fence else 0,
    )
    return await store.report(report)


def steps_of(
    method: str, call: Callable[..., Awaitable[Any]], /, **given_: st.SearchStrategy[Any]
) -> st.SearchStrategy[Step]:
    return st.fixed_dictionaries(given_).map(lambda values: Step(method, values, call))


session_ids = st.sampled_from(SESSIONS)


@st.composite
def restores(draw: st.DrawFn) -> Step:
    """A replica says what it has: some of it is right, some not."""
    replica = draw(st.sampled_from(REPLICAS))
    said = draw(st.lists(tickets, max_size=4, unique_by=lambda each: each.session_id))
    arrivals = [(each, draw(st.integers(900, 1000)) + index / 8) for index, each in enumerate(said)]
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
    promised = {each.session_id for each, _ in leases}
    waiting = [(each, arrived) for each, arrived in arrivals if each.session_id not in promised]

    async def call(store: FleetStore, _: Told, **given_: Any) -> None:
        await store.restore(given_["replica"], given_["waiting"], given_["leases"])

    return Step("restore", {"replica": replica, "waiting": waiting, "leases": leases}, call)


async def joins(store: FleetStore, _: Told, join_request: Ticket) -> Any:
    try:
        return await store.join(join_request)
    except TooManyChoicesError:
        return "too many"


async def said_and_forward(store: FleetStore, told: Told, report: tuple[ServerReport, int]) -> Any:
    return await tells(store, told, *report)


steps = st.one_of(
    steps_of("report", said_and_forward, report=reports()),
    steps_of("report", said_and_forward, report=reports()),
    steps_of("join", joins, join_request=tickets),
    steps_of("join", joins, join_request=tickets),
    steps_of("keep", lambda store, _, name: store.renew(name, ""), name=st.sampled_from(REPLICAS)),
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
    steps_of("offer", lambda store, _, join_request: store.reserve(join_request), join_request=tickets),
    restores(),
    steps_of(
        "hold_back",
        lambda store, _, key, on: store.set_operator_drain(key, on),
        key=st.sampled_from(("s1/cam", "s2/cam")),
        on=st.booleans(),
    ),
    steps_of("end", lambda store, _, name: store.end(name), name=session_ids),
    steps_of(
        "set_policies",
        lambda store, _, policy: store.set_policies({"a": policy, "nowhere": "pack"}),
        policy=st.sampled_from(("spread", "pack", "pack", "oldest")),
    ),
    st.sampled_from(STEPS).map(lambda seconds: Step("passes", {"seconds": seconds})),
)

# -- what they say ----------------------------------------------------------------------------------


def plain(said: Any) -> Any:
    """Return an answer without what may differ: the epoch, and the order of things that have none."""
    if isinstance(said, Renewal):
        return (
            "kept",
            said.sessions,
            said.end,
            said.operator_drained,
            sorted(said.leases, key=lambda each: each.session_id),
        )
    return said


async def everything(store: FleetStore) -> tuple[FleetSnapshot, Totals]:
    return await store.snapshot(), await store.totals()


def check_totals(known: FleetSnapshot, totals: Totals) -> None:
    counted = recount(known)
    for name, app in totals.apps.items():
        assert app == counted.get(name, AppTotals()), name


async def say_the_same(url: str, said: list[Step]) -> None:
    clock = Clock()
    async with empty_store(url, clock) as redis:
        clock.now = 1000.0
        async with empty_store("", clock) as memory:
            told = Told(clock)
            for step in said:
                if step.call is None:
                    clock.advance(step.given["seconds"])
                else:
                    there = await step.call(redis, told, **step.given)
                    here = await step.call(memory, told, **step.given)
                    assert plain(there) == plain(here), step
                    if isinstance(here, Reported):
                        note(told, step.given["report"][0], here)
                seen, mine = await everything(redis), await everything(memory)
                assert seen == mine, step
                check_totals(*mine)
                await check_lanes(redis, memory, mine[0])


def note(told: Told, said: ServerReport, answer: Reported) -> None:
    """Go on counting from what was taken."""
    if answer.taken:
        told.sequences[said.server_id] = told.sequences.get(said.server_id, 10) + 1
        told.fences[said.server_id, said.owner] = answer.fence


async def check_lanes(one: FleetStore, other: FleetStore, known: FleetSnapshot) -> None:
    names = sorted({lane_of(each.ticket) for each in known.queue} | {"a\x1f", "nowhere\x1f"})
    views = await one.lanes(names)
    assert views == await other.lanes(names)
    for view in views:
        waiting: list[Waiting] = [each for each in known.queue if lane_of(each.ticket) == view.lane]
        assert view.head == tuple(each.ticket.session_id for each in waiting)


def test_both_stores_say_the_same(redis_url: str) -> None:
    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
    @given(said=st.lists(steps, min_size=5, max_size=40))
    def check(said: list[Step]) -> None:
        asyncio.run(say_the_same(redis_url, said))

    check()
