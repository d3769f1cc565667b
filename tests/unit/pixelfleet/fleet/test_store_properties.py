"""Invariants of every fleet store under arbitrary sequences of calls: no session is lost or leased twice.

Reports of these servers are true but late: players arrive and leave before the next report. Time moves in steps of
which no deadline is a multiple, so that no result depends on the order within a moment.
"""

import asyncio
import math
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec import structs

from pixelfleet.fleet.bounds import EXPIRY_SECONDS, MAX_EVENTS
from pixelfleet.fleet.events import Position, Turn
from pixelfleet.fleet.model import FleetSnapshot, Lease, LeaseState, ServerReport, StreamerReport, Ticket, Waiting
from pixelfleet.fleet.store import FleetStore, PlaceLostError, lane_of
from tests.unit.pixelfleet.fleet.recount import is_free, recount, used_slots
from tests.unit.pixelfleet.fleet.stores import IMPLEMENTATIONS, Clock, empty_store, streamer, ticket

T = TypeVar("T")

STEP = 0.7
REPLICAS = ("r1", "r2")
WINDOW = 10
"""The seconds for which a lost player's place is kept; no multiple of STEP."""


@dataclass
class Server:
    """The true state of a signalling server."""

    name: str
    app: str
    capacity: int
    labels: dict[str, str]
    held: set[str] = field(default_factory=set)
    ended: list[str] = field(default_factory=list)
    sequence: int = 0
    last_report: float = float("-inf")

    def report(self, *, ready: bool, draining: bool) -> StreamerReport:
        return streamer(
            self.name,
            app=self.app,
            capacity=self.capacity,
            labels=self.labels,
            sessions=tuple(sorted(self.held)),
            node=self.name[-1],
            ready=ready,
            draining=draining,
        )

    @property
    def has_room(self) -> bool:
        return not self.capacity or len(self.held) < self.capacity


def fleet_of_servers() -> list[Server]:
    return [
        Server("s1", "a", 1, {}),
        Server("s2", "a", 2, {"region": "eu"}),
        Server("s3", "b", 1, {"region": "eu"}),
        Server("s4", "b", 0, {}),
    ]


def fits(join_request: Ticket, known: StreamerReport) -> bool:
    if join_request.wants:
        return join_request.app == known.app and join_request.wants in (known.key, known.endpoint_id, "*")
    return join_request.app == known.app and join_request.labels.items() <= known.labels.items()


FOLLOWERS: Final[dict[str, tuple[str, ...]]] = {
    "": ("queued", "matched"),
    "queued": ("matched", "playing", "ended"),
    "matched": ("queued", "playing", "ended"),
    "playing": ("ended",),
    "ended": ("queued", "matched"),  # its player has returned to its place
}
"""The events of a session that may follow each other."""


async def check_events(store: FleetStore, known: FleetSnapshot) -> None:
    """Check that the events of each session are a possible course, and end in its present state."""
    last: dict[str, str] = {}
    position = Position()
    while batch := await store.events(position):
        for stored in batch:
            assert stored.position.number == position.number + 1
            position = stored.position
            subject, kind = stored.event.type.split(".")
            if subject == "session":
                assert kind in FOLLOWERS[last.get(stored.subject, "")], (stored.subject, last.get(stored.subject), kind)
                last[stored.subject] = kind
    present = {waiting.ticket.session_id: "queued" for waiting in known.queue}
    for lease in known.leases:
        present[lease.session_id] = "playing" if lease.state is LeaseState.HELD else "matched"
    assert {session: kind for session, kind in last.items() if kind != "ended"} == present


class FleetMachine(RuleBasedStateMachine):
    url = ""
    failed = False

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.clock = Clock()
        self.store = self.run(self.stack.enter_async_context(empty_store(self.url, self.clock)))
        self.run(self.store.take_turn(Turn(webhook="", sender="", lead_seconds=0.0, keep=MAX_EVENTS)))
        self.run(self.store.keep_records(10_000, 86_400))
        self.servers = fleet_of_servers()
        self.alive: dict[str, str] = {}
        """The sessions that must be in the queue or have a lease, each with its replica."""
        self.places: dict[str, tuple[Ticket, float, float]] = {}
        """The kept places of lost players: ticket, arrival, and the end of the window."""
        self.tickets: dict[str, tuple[Ticket, float]] = {}
        """The tickets of players that can return, with their arrival."""
        self.excluding: set[str] = set()
        """Sessions that have excluded a streamer."""
        self.last_renewal: dict[str, float] = {}
        self.leased: set[tuple[str, str, float]] = set()
        self.sessions = 0
        self.joined: set[str] = set()
        """All sessions that ever had a ticket."""
        self.seen: FleetSnapshot | None = None
        for server in self.servers:
            self._report(server)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def known(self) -> FleetSnapshot:
        if self.seen is None or self.seen.now != self.clock.now:
            self.seen = self.run(self.store.snapshot())
        return self.seen

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Make one call, and check that it leased free slots only."""
        self.failed = True
        answer = self.run(work)
        self.failed = False
        self.seen = None
        known = self.known()
        views = {view.report.key: view for view in known.streamers}
        leased = {
            (lease.session_id, lease.streamer.key, lease.since)
            for lease in known.leases
            if lease.state is not LeaseState.HELD and not lease.spectator
        }
        for _, key, _ in leased - self.leased:
            assert used_slots(known, views[key]) <= (views[key].report.capacity or math.inf), "a slot is leased twice"
        self.leased = leased
        return answer

    def teardown(self) -> None:
        if not self.failed:
            self.run(check_events(self.store, self.known()))
        self.run(self.stack.aclose())
        self.loop.close()

    def in_state(self, *states: LeaseState) -> list[str]:
        return sorted(lease.session_id for lease in self.known().leases if lease.state in states)

    # -- servers ------------------------------------------------------------------------------------

    def _report(self, server: Server, *, ready: bool = True, draining: bool = False) -> None:
        for lease in self.known().leases:
            over = lease.state is LeaseState.HELD and lease.session_id not in server.held
            if lease.streamer.server_id == server.name and (over or lease.session_id in server.ended):
                self.alive.pop(lease.session_id, None)
        server.sequence += 1
        server.last_report = self.clock.now
        report = server.report(ready=ready, draining=draining)
        self.do(
            self.store.report(
                ServerReport(
                    server_id=server.name,
                    sequence=server.sequence,
                    streamers=(report,),
                    ended=tuple(server.ended),
                )
            )
        )
        server.ended.clear()
        assert report in [view.report for view in self.known().streamers]

    @rule(which=st.integers(0, 3), ready=st.booleans(), draining=st.booleans())
    def report(self, which: int, *, ready: bool, draining: bool) -> None:
        self._report(self.servers[which], ready=ready or draining, draining=draining)

    @rule(which=st.integers(0, 3), behind=st.integers(0, 5))
    def late_report(self, which: int, behind: int) -> None:
        server = self.servers[which]
        before = self.known()
        if all(view.report.server_id != server.name for view in before.streamers):
            return
        late = ServerReport(
            server_id=server.name,
            sequence=server.sequence - behind,
            streamers=(streamer(server.name, app="a", capacity=50),),
        )
        assert not self.do(self.store.report(late)).taken
        assert self.known() == before

    @precondition(lambda self: self.in_state(LeaseState.CLAIMED))
    @rule(data=st.data(), reported=st.booleans())
    def arrive(self, data: st.DataObject, *, reported: bool) -> None:
        """A dialled player arrives, and its server accepts or refuses it."""
        self._arrive(data.draw(st.sampled_from(self.in_state(LeaseState.CLAIMED))), reported=reported)

    def _arrive(self, session: str, *, reported: bool) -> None:
        lease = next(lease for lease in self.known().leases if lease.session_id == session)
        server = next(each for each in self.servers if each.name == lease.streamer.server_id)
        if session in server.held or not server.has_room:
            self.do(self.store.give_back(session, unreachable=False))
            return
        server.held.add(session)
        if reported:
            self._report(server)

    @rule(which=st.integers(0, 3), reported=st.booleans())
    def arrive_uninvited(self, which: int, *, reported: bool) -> None:
        server = self.servers[which]
        if server.has_room:
            self.sessions += 1
            server.held.add(f"direct-{self.sessions}")
            if reported:
                self._report(server)

    @rule(which=st.integers(0, 3), data=st.data(), reported=st.booleans())
    def finish(self, which: int, data: st.DataObject, *, reported: bool) -> None:
        server = self.servers[which]
        if server.held:
            session = data.draw(st.sampled_from(sorted(server.held)))
            server.held.discard(session)
            server.ended.append(session)
            if reported:
                self._report(server)

    # -- players ------------------------------------------------------------------------------------

    @rule(
        app=st.sampled_from("ab"),
        replica=st.sampled_from(REPLICAS),
        picky=st.sampled_from([{}, {}, {"region": "eu"}]),
        wants=st.sampled_from(["", "", "", "s2/cam", "*", "nobody"]),
        priority=st.sampled_from([0, 0, 1]),
        keeps_place=st.sampled_from([0, WINDOW]),
    )
    def join(self, app: str, replica: str, picky: dict[str, str], wants: str, priority: int, keeps_place: int) -> None:
        self.sessions += 1
        join_request = ticket(
            f"p{self.sessions}",
            replica=replica,
            app=app,
            labels=picky,
            wants=wants,
            priority=priority,
            keeps_place=keeps_place,
        )
        before = self.known()
        placed = self.do(self.store.join(join_request))
        self.alive[join_request.session_id] = replica
        self.joined.add(join_request.session_id)
        if keeps_place:
            self.tickets[join_request.session_id] = (join_request, placed.arrived)
        self.last_renewal.setdefault(replica, self.clock.now)
        if isinstance(placed, Lease):
            chosen = next(view for view in before.streamers if view.report.key == placed.streamer.key)
            assert fits(join_request, chosen.report)
            assert is_free(before, chosen)
        else:
            assert placed.arrived >= max((each.arrived for each in before.queue), default=0)

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def join_again(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.alive)))
        before = self.known()
        placed = self.do(self.store.join(ticket(session, replica=self.alive[session])))
        after = self.known()
        assert isinstance(placed, Waiting) == any(each.ticket.session_id == session for each in before.queue)
        assert after.queue == before.queue
        assert {each.session_id for each in after.leases} == {each.session_id for each in before.leases}

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.alive)))
        held = session in self.in_state(LeaseState.HELD)
        self.do(self.store.leave(session))
        if not held:
            del self.alive[session]
            assert session not in {each.session_id for each in self.known().leases}

    def _keeps_place(self, session: str) -> None:
        if session in self.tickets:
            join_request, arrived = self.tickets[session]
            self.places[session] = (join_request, arrived, self.clock.now + WINDOW)

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """A player is lost, and may return."""
        session = data.draw(st.sampled_from(sorted(self.alive)))
        held = session in self.in_state(LeaseState.HELD)
        self.do(self.store.leave(session, replica_id=self.alive[session], may_return=True))
        if not held:
            self._keeps_place(session)
            del self.alive[session]
            assert session not in {each.session_id for each in self.known().leases}

    @precondition(lambda self: self.places)
    @rule(data=st.data(), replica=st.sampled_from(REPLICAS))
    def come_back(self, data: st.DataObject, replica: str) -> None:
        """A lost player returns to its place, through any replica, within the window."""
        session = data.draw(st.sampled_from(sorted(self.places)))
        join_request, arrived, until = self.places.pop(session)
        returning = structs.replace(join_request, replica_id=replica)
        before = self.known()
        if until <= self.clock.now:
            with pytest.raises(PlaceLostError):
                self.do(self.store.join(returning, returns=True))
            assert self.known() == before
            return
        placed = self.do(self.store.join(returning, returns=True))
        assert placed.arrived == arrived
        self.alive[session] = replica
        self.last_renewal.setdefault(replica, self.clock.now)

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), replica=st.sampled_from(REPLICAS))
    def come_back_early(self, data: st.DataObject, replica: str) -> None:
        """A player returns through a replica while the other one, perhaps dead, still has its session."""
        session = data.draw(st.sampled_from(sorted(self.alive)))
        before = self.known()
        placed = self.do(self.store.join(ticket(session, replica=replica), returns=True))
        assert [each.rank for each in self.known().queue] == [each.rank for each in before.queue]
        assert isinstance(placed, Waiting) == any(each.ticket.session_id == session for each in before.queue)
        self.alive[session] = replica
        self.last_renewal.setdefault(replica, self.clock.now)

    @precondition(lambda self: self.in_state(LeaseState.CLAIMED))
    @rule(data=st.data(), unreachable=st.booleans())
    def give_back(self, data: st.DataObject, *, unreachable: bool) -> None:
        session = data.draw(st.sampled_from(self.in_state(LeaseState.CLAIMED)))
        if unreachable:
            self.excluding.add(session)
        placed = self.do(self.store.give_back(session, unreachable=unreachable))
        assert placed is not None
        if isinstance(placed, Lease):
            assert placed.state is LeaseState.CLAIMED

    @rule(reported=st.booleans())
    def all_get_in(self, *, reported: bool) -> None:
        for replica in REPLICAS:
            if replica in self.last_renewal:
                self._renew(replica)
        for session in self.in_state(LeaseState.CLAIMED):
            if session in self.in_state(LeaseState.CLAIMED):
                self._arrive(session, reported=reported)

    # -- the store ----------------------------------------------------------------------------------

    def _renew(self, replica: str) -> None:
        renewal = self.do(self.store.renew(replica, ""))
        self.last_renewal[replica] = self.clock.now
        assert all(lease.state is LeaseState.CLAIMED and lease.replica_id == replica for lease in renewal.leases)
        assert not [each for each in self.in_state(LeaseState.MATCHED) if self.alive.get(each) == replica]

    @rule(
        steps=st.integers(1, 10),
        renewal=st.sampled_from([REPLICAS, REPLICAS, REPLICAS[:1], ()]),
        reporting=st.sampled_from([(0, 1, 2, 3), (0, 1, 2, 3), (0, 1), ()]),
    )
    def time_passes(self, steps: int, renewal: tuple[str, ...], reporting: tuple[int, ...]) -> None:
        for _ in range(steps):
            held = {s.session_id: s.streamer.server_id for s in self.known().leases if s.state is LeaseState.HELD}
            self.clock.advance(STEP)
            gone = {each.name for each in self.servers if self.clock.now - each.last_report > EXPIRY_SECONDS}
            late = {name for name, last in self.last_renewal.items() if self.clock.now - last > EXPIRY_SECONDS}
            for name in late:
                del self.last_renewal[name]
            for session in [each for each, replica in self.alive.items() if replica in late and each not in held]:
                del self.alive[session]
                self._keeps_place(session)
            for session in [session for session, server in held.items() if server in gone]:
                self.alive.pop(session, None)
            self.do(self.store.totals())
            known = self.known()
            assert not gone.intersection(view.report.server_id for view in known.streamers)
            assert not late.intersection(each.ticket.replica_id for each in known.queue)
            for replica in renewal:
                self._renew(replica)
            for which in reporting:
                self._report(self.servers[which])

    # -- invariants ---------------------------------------------------------------------------------

    @invariant()
    def each_session_has_one_ticket_or_lease(self) -> None:
        known = self.known()
        waiting = [each.ticket.session_id for each in known.queue]
        leased = [lease.session_id for lease in known.leases]
        assert len({*waiting, *leased}) == len(waiting) + len(leased)
        assert self.alive.keys() == {*waiting, *leased}
        held_by = {lease.streamer.server_id for lease in known.leases if lease.state is LeaseState.HELD}
        assert held_by <= {view.report.server_id for view in known.streamers}, "a held session has no server"

    @invariant()
    def no_ticket_waits_for_a_free_streamer(self) -> None:
        known = self.known()
        for view in known.streamers:
            if is_free(known, view):
                wait = [each for each in known.queue if fits(each.ticket, view.report)]
                assert all(each.ticket.session_id in self.excluding for each in wait), f"{view.report.key} is free"

    @invariant()
    def a_lane_is_served_first_come_first_served(self) -> None:
        known = self.known()
        first: dict[str, Waiting] = {}
        for each in known.queue:
            first.setdefault(lane_of(each.ticket), each)
        lanes = self.run(self.store.lanes(list(first)))
        for name, view in zip(first, lanes, strict=True):
            mine = [each for each in known.queue if lane_of(each.ticket) == name]
            assert [each.ticket.session_id for each in mine] == list(view.head)
            for priority in (0, 1):
                arrivals = [each.arrived for each in mine if each.ticket.priority == priority]
                assert arrivals == sorted(arrivals)

    @invariant()
    def each_ended_session_has_exactly_one_record(self) -> None:
        self.run(self.store.totals())  # ends the places whose time is over
        stored = self.run(self.store.records(limit=10_000))
        recorded = [each.record.session for each in stored]
        assert len(set(recorded)) == len(recorded), "a session has two records"
        assert not self.alive.keys() & set(recorded), "a session has a record before its end"
        kept = {session for session, (_, _, until) in self.places.items() if until > self.clock.now}
        assert self.joined - self.alive.keys() - kept <= set(recorded), "a session has no record"

    @invariant()
    def totals_match_the_snapshot(self) -> None:
        known, totals = self.known(), self.run(self.store.totals())
        counted = recount(known)
        for app, mine in totals.apps.items():
            if app in counted:
                assert mine == counted[app]
        assert totals.unknown_waiting == sum(app.waiting for name, app in counted.items() if name not in totals.apps)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_no_session_is_lost_or_leased_twice(implementation: str, redis_url: str) -> None:
    url = redis_url if implementation == "redis" else ""
    machine = type("Machine", (FleetMachine,), {"url": url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=80 if implementation == "memory" else 25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        ),
    )
