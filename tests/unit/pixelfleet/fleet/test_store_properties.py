"""What holds for every fleet store whatever its owners do, in whatever order: nobody is lost or served twice.

Servers here are honest, and slow: players arrive, stay and go at a server before its reports say so. Time moves in
steps that no deadline is a multiple of, so that nothing depends on who is first within a moment.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from pixelfleet.fleet.model import EXPIRY_SECONDS, FleetSnapshot, LeaseState, StreamerReport, Ticket
from tests.unit.pixelfleet.fleet.stores import IMPLEMENTATIONS, Clock, streamer, ticket

T = TypeVar("T")

STEP = 0.7
REPLICAS = ("r1", "r2")


@dataclass
class Server:
    """A signalling server: what is true, whatever the store believes."""

    name: str
    app: str
    capacity: int
    labels: dict[str, str]
    held: set[str] = field(default_factory=set)
    sequence: int = 0
    last_report: float = float("-inf")

    def report(self, *, ready: bool = True, draining: bool = False) -> StreamerReport:
        return streamer(
            self.name,
            app=self.app,
            capacity=self.capacity,
            labels=self.labels,
            sessions=tuple(sorted(self.held)),
            sequence=self.sequence,
            ready=ready,
            draining=draining,
        )

    @property
    def has_room(self) -> bool:
        return not self.capacity or len(self.held) < self.capacity


SERVERS = (
    Server("s1", "a", 1, {}),
    Server("s2", "a", 2, {"region": "eu"}),
    Server("s3", "b", 1, {"region": "eu"}),
    Server("s4", "b", 0, {}),
)


def fits(wish: Ticket, known: StreamerReport) -> bool:
    return (
        wish.app == known.app
        and wish.streamer in ("", known.key, known.endpoint_id)
        and wish.labels.items() <= known.labels.items()
    )


def occupied(known: FleetSnapshot, key: str) -> set[str]:
    """Return the sessions that take up slots of a streamer, as far as the store can know."""
    promised = {lease.session_id for lease in known.leases if lease.streamer.key == key}
    return promised.union(*(each.sessions for each in known.streamers if each.key == key))


class FleetMachine(RuleBasedStateMachine):
    implementation = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.clock = Clock()
        self.store = self.run(self.stack.enter_async_context(IMPLEMENTATIONS[self.implementation](self.clock)))
        self.servers = [Server(each.name, each.app, each.capacity, each.labels) for each in SERVERS]
        self.alive: dict[str, str] = {}
        """The sessions that must wait or have a lease, each with its replica."""
        self.once_promised: set[str] = set()
        """The sessions that a match chose at some time: when it comes to nothing, they are put before all others."""
        self.last_keep: dict[str, float] = {}
        self.sessions = 0
        for server in self.servers:
            self._report(server)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def known(self) -> FleetSnapshot:
        return self.run(self.store.snapshot())

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.loop.close()

    def in_state(self, *states: LeaseState) -> list[str]:
        return sorted(lease.session_id for lease in self.known().leases if lease.state in states)

    # -- servers ------------------------------------------------------------------------------------

    def _report(self, server: Server, *, ready: bool = True, draining: bool = False) -> None:
        for lease in self.known().leases:
            over = lease.state is LeaseState.HELD and lease.session_id not in server.held
            if over and lease.streamer.server_id == server.name:
                self.alive.pop(lease.session_id, None)
        server.sequence += 1
        server.last_report = self.clock.now
        report = server.report(ready=ready, draining=draining)
        self.run(self.store.report([report], server_id=server.name, sequence=server.sequence))
        assert report in self.known().streamers
        self.match()

    @rule(which=st.integers(0, 3), ready=st.booleans(), draining=st.booleans())
    def report(self, which: int, *, ready: bool, draining: bool) -> None:
        self._report(self.servers[which], ready=ready or draining, draining=draining)

    @rule(which=st.integers(0, 3), behind=st.integers(1, 5))
    def late_report(self, which: int, behind: int) -> None:
        server = self.servers[which]
        before = self.known()
        if all(each.server_id != server.name for each in before.streamers):
            return
        report = streamer(server.name, app="a", capacity=50, sequence=server.sequence - behind)
        self.run(self.store.report([report], server_id=server.name, sequence=report.sequence))
        assert self.known() == before

    @precondition(lambda self: self.in_state(LeaseState.CLAIMED))
    @rule(data=st.data(), reported=st.booleans())
    def arrive(self, data: st.DataObject, *, reported: bool) -> None:
        """A dialled player arrives; its server has the last word."""
        self._arrive(data.draw(st.sampled_from(self.in_state(LeaseState.CLAIMED))), reported=reported)

    def _arrive(self, session: str, *, reported: bool) -> None:
        lease = next(lease for lease in self.known().leases if lease.session_id == session)
        server = next(each for each in self.servers if each.name == lease.streamer.server_id)
        if session in server.held or not server.has_room:
            self.run(self.store.requeue(session))
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
            server.held.discard(data.draw(st.sampled_from(sorted(server.held))))
            if reported:
                self._report(server)

    # -- players ------------------------------------------------------------------------------------

    @rule(
        app=st.sampled_from("ab"),
        replica=st.sampled_from(REPLICAS),
        picky=st.sampled_from([{}, {}, {"region": "eu"}]),
        wants=st.sampled_from(["", "", "", "s2/cam", "nobody"]),
        matched=st.booleans(),
    )
    def join(self, app: str, replica: str, picky: dict[str, str], wants: str, *, matched: bool) -> None:
        self.sessions += 1
        session = f"p{self.sessions}"
        self.run(self.store.join(ticket(session, replica=replica, app=app, labels=picky, wants=wants)))
        self.alive[session] = replica
        self.last_keep[replica] = self.clock.now
        waiting = [each for each in self.known().queue if each.ticket.app == app]
        assert max(waiting, key=lambda each: each.position).ticket.session_id == session
        if matched:
            self.match()

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def join_again(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.alive)))
        before = self.known()
        self.run(self.store.join(ticket(session, replica=self.alive[session])))
        assert self.known() == before

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.alive)))
        self.run(self.store.leave(session))
        del self.alive[session]

    @precondition(lambda self: self.in_state(LeaseState.MATCHED))
    @rule(data=st.data())
    def claim(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(self.in_state(LeaseState.MATCHED)))
        assert session in [each.session_id for r in REPLICAS for each in self.run(self.store.leases_of(r))]
        claimed = self.run(self.store.claim(session))
        assert claimed is not None
        assert claimed.state is LeaseState.CLAIMED
        assert self.run(self.store.claim(session)) is None

    @precondition(lambda self: self.in_state(LeaseState.MATCHED, LeaseState.CLAIMED))
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(self.in_state(LeaseState.MATCHED, LeaseState.CLAIMED)))
        self.run(self.store.requeue(session))
        assert [each.position for each in self.known().queue if each.ticket.session_id == session] == [1]

    @precondition(lambda self: self.in_state(LeaseState.MATCHED))
    @rule(reported=st.booleans())
    def all_get_in(self, *, reported: bool) -> None:
        for session in self.in_state(LeaseState.MATCHED):
            assert self.run(self.store.claim(session)) is not None
            self._arrive(session, reported=reported)

    # -- the store ----------------------------------------------------------------------------------

    @rule()
    def match(self) -> None:
        before = self.known()
        self.run(self.store.match())
        after = self.known()
        streamers = {each.key: each for each in before.streamers}
        promised = {lease.session_id for lease in before.leases}
        waiting = {each.ticket.session_id: each for each in before.queue}
        for lease in after.leases:
            if lease.session_id in promised:
                continue
            self.once_promised.add(lease.session_id)
            chosen, mine = streamers[lease.streamer.key], waiting[lease.session_id]
            assert lease.replica_id == mine.ticket.replica_id
            assert chosen.ready
            assert not chosen.draining
            assert fits(mine.ticket, chosen)
            assert not chosen.capacity or len(occupied(after, chosen.key)) <= chosen.capacity
            for other in (waiting[each.ticket.session_id] for each in after.queue):
                ahead = other.ticket.app == mine.ticket.app and other.position < mine.position
                assert not (ahead and fits(other.ticket, chosen)), "first come, first served"
        for known in after.streamers:
            free = not known.capacity or len(occupied(after, known.key)) < known.capacity
            if free and known.ready and not known.draining:
                assert not any(fits(each.ticket, known) for each in after.queue), "a slot stays free while one waits"

    @rule(
        steps=st.integers(1, 10),
        kept=st.sampled_from([REPLICAS, REPLICAS, REPLICAS[:1], ()]),
        reporting=st.sampled_from([range(4), range(4), (0, 1), ()]),
    )
    def time_passes(self, steps: int, kept: tuple[str, ...], reporting: Sequence[int]) -> None:
        for _ in range(steps):
            held = {s.session_id: s.streamer.server_id for s in self.known().leases if s.state is LeaseState.HELD}
            self.clock.advance(STEP)
            gone = {each.name for each in self.servers if self.clock.now - each.last_report > EXPIRY_SECONDS}
            late = {name for name, last in self.last_keep.items() if self.clock.now - last > EXPIRY_SECONDS}
            for session in [session for session, replica in self.alive.items() if replica in late]:
                del self.alive[session]
            for session in [session for session, server in held.items() if server in gone]:
                self.alive.pop(session, None)
            assert not gone.intersection(each.server_id for each in self.known().streamers)
            for replica in kept:
                self.run(self.store.keep(replica))
                self.last_keep[replica] = self.clock.now
            for which in reporting:
                self._report(self.servers[which])

    # -- always -------------------------------------------------------------------------------------

    @invariant()
    def nobody_is_lost_and_nobody_is_there_twice(self) -> None:
        known = self.known()
        waiting = [each.ticket.session_id for each in known.queue]
        promised = [lease.session_id for lease in known.leases]
        assert len({*waiting, *promised}) == len(waiting) + len(promised)
        assert self.alive.keys() <= {*waiting, *promised}
        assert self.alive.keys() >= set(waiting)
        assert self.alive.keys() >= set(self.in_state(LeaseState.MATCHED, LeaseState.CLAIMED))
        held_by = {lease.streamer.server_id for lease in known.leases if lease.state is LeaseState.HELD}
        assert held_by <= {each.server_id for each in known.streamers}, "nobody holds what is held"

    @invariant()
    def nobody_overtakes_in_the_queue(self) -> None:
        for app in "ab":
            queue = sorted((each for each in self.known().queue if each.ticket.app == app), key=lambda w: w.position)
            never = [each.since for each in queue if each.ticket.session_id not in self.once_promised]
            assert never == sorted(never)


@pytest.mark.parametrize("implementation", sorted(IMPLEMENTATIONS))
def test_nobody_is_lost_or_served_twice(implementation: str) -> None:
    machine = type("Machine", (FleetMachine,), {"implementation": implementation})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=120, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
