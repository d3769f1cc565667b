"""Property test: after the loss of a store, no streamer ever has more players than slots, and all tickets are matched.

A legacy server accepts every player, and a signalling server refuses those without a free slot. Replicas that are cut
off at the loss never restore their sessions, but their players may still arrive, until their leases have lapsed.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from pixelfleet.fleet.bounds import ARRIVAL_SECONDS
from pixelfleet.fleet.model import FleetSnapshot, Lease, LeaseState, StreamerReport
from tests.unit.pixelfleet.fleet.recount import is_free, recount
from tests.unit.pixelfleet.fleet.stores import IMPLEMENTATIONS, Clock, Fleet, empty_store, streamer, ticket

T = TypeVar("T")

STEP = 0.7
"""No deadline is a multiple of it."""
LINKS = "links"
"""The replica with the links to all legacy servers. It is never cut off."""


@dataclass
class Server:
    """The true state of a server with one streamer and one slot."""

    name: str
    legacy: bool
    players: set[str] = field(default_factory=set)
    fence: int = 0

    def report(self) -> StreamerReport:
        if self.legacy:
            return streamer(self.name, legacy=True, players=len(self.players))
        return streamer(self.name, sessions=tuple(sorted(self.players)))


@dataclass
class Promise:
    """A lease that a lost store gave, and whose player has not arrived."""

    server: Server
    lapses: float


class ResetMachine(RuleBasedStateMachine):
    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.clock = Clock()
        self.fleet = Fleet(self.run(self.stack.enter_async_context(empty_store(self.url, self.clock))), self.clock)
        self.servers = {name: Server(name, legacy=name.startswith("l")) for name in ("l1", "l2", "n1")}
        self.epoch = ""
        self.begun = self.clock.now
        self.sessions = 0
        self.promises: dict[str, Promise] = {}
        self.live = ["r0", "r1"]
        """Replicas that renew. One that is cut off is replaced by a new one."""
        self.replicas = len(self.live)
        self._all_report()
        self._all_renew()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.loop.close()

    def known(self) -> FleetSnapshot:
        return self.run(self.fleet.snapshot())

    def claimed(self) -> list[Lease]:
        """Return the leases of live replicas whose player has not arrived."""
        at = {session for server in self.servers.values() for session in server.players}
        return [
            lease
            for lease in self.known().leases
            if lease.state is LeaseState.CLAIMED and lease.session_id not in at and lease.replica_id in self.live
        ]

    # -- owners -------------------------------------------------------------------------------------

    def _report(self, server: Server, ended: Sequence[str] = ()) -> None:
        owner = LINKS if server.legacy else ""
        reported = self.run(self.fleet.reports(server.report(), ended=ended, owner=owner, fence=server.fence))
        assert reported.taken
        server.fence = reported.fence

    def _all_report(self) -> None:
        for server in self.servers.values():
            self._report(server)

    def _all_renew(self) -> None:
        for replica in (LINKS, *self.live):
            self.epoch = self.run(self.fleet.store.renew(replica, self.epoch)).epoch

    @rule(steps=st.integers(1, 10))
    def time_passes(self, steps: int) -> None:
        for _ in range(steps):
            self.clock.advance(STEP)
            self._all_renew()
            self._all_report()

    # -- players ------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 1), wants=st.sampled_from(["", "", "", "*", "l1/cam"]))
    def join(self, which: int, wants: str) -> None:
        self.sessions += 1
        self.run(self.fleet.store.join(ticket(f"p{self.sessions}", replica=self.live[which], wants=wants)))

    @precondition(lambda self: self.claimed())
    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.claimed()))
        server = self.servers[lease.streamer.server_id]
        if server.players and not server.legacy:
            self.run(self.fleet.store.give_back(lease.session_id, unreachable=False))
            return
        self._accept(server, lease.session_id)

    @precondition(lambda self: self.promises)
    @rule(data=st.data())
    def arrive_with_a_lease_of_a_lost_store(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.promises)))
        promise = self.promises.pop(session)
        if self.clock.now < promise.lapses and not (promise.server.players and not promise.server.legacy):
            self._accept(promise.server, session)

    def _accept(self, server: Server, session: str) -> None:
        assert not server.players, f"{server.name} has two players"
        server.players.add(session)
        self._report(server)

    @precondition(lambda self: any(server.players for server in self.servers.values()))
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        server = data.draw(st.sampled_from([each for each in self.servers.values() if each.players]))
        ended = sorted(server.players)
        server.players.clear()
        if server.legacy:
            self.run(self.fleet.store.leave(*ended))
        self._report(server, () if server.legacy else ended)

    # -- the loss -----------------------------------------------------------------------------------

    @rule(
        failover=st.booleans(),
        cut_off=st.sets(st.integers(0, 1)),
        lost=st.sets(st.sampled_from(["l1", "l2", "n1"])),
        late=st.sampled_from([0, 0, 0, 1, 2]),
        reports_first=st.booleans(),
    )
    def lose_the_store(
        self, *, failover: bool, cut_off: set[int], lost: set[str], late: int, reports_first: bool
    ) -> None:
        """Lose all data, or the last matches: those with the free ones among the servers in `lost`."""
        before, claimed = self.known(), self.claimed()
        free = {view.report.server_id for view in before.streamers if is_free(before, view, self._legacy_from())}
        lapses = self.clock.now + ARRIVAL_SECONDS
        for lease in claimed:
            if self.live.index(lease.replica_id) in cut_off:
                self.promises[lease.session_id] = Promise(self.servers[lease.streamer.server_id], lapses)
        promised = {promise.server.name for promise in self.promises.values() if self.clock.now < promise.lapses}
        for name in sorted(lost & free - promised):
            self.sessions += 1
            self.promises[f"p{self.sessions}"] = Promise(self.servers[name], lapses)
        self.run(self.fleet.fails_over() if failover else self.fleet.loses_data())
        self.begun = self.clock.now
        if late:
            self.run(self.fleet.store.totals())
            self.clock.advance(late * STEP)
        for which in cut_off:
            self.replicas += 1
            self.live[which] = f"r{self.replicas}"
        for owner in (self._all_report, self._all_renew) if reports_first else (self._all_renew, self._all_report):
            owner()
        for which, replica in enumerate(self.live):
            if which not in cut_off:
                self._restore(replica, before)

    def _restore(self, replica: str, before: FleetSnapshot) -> None:
        tickets = [(each.ticket, each.arrived) for each in before.queue if each.ticket.replica_id == replica]
        leases = [
            (ticket(lease.session_id, replica=replica), lease)
            for lease in before.leases
            if lease.replica_id == replica and lease.state is not LeaseState.MATCHED
        ]
        matched = [
            (ticket(lease.session_id, replica=replica), lease.arrived)
            for lease in before.leases
            if lease.replica_id == replica and lease.state is LeaseState.MATCHED
        ]
        self.run(self.fleet.store.restore(replica, [*tickets, *matched], leases))

    # -- invariants ---------------------------------------------------------------------------------

    def _legacy_from(self) -> float:
        return self.run(self.fleet.legacy_from())

    @invariant()
    def no_ticket_waits_for_a_free_streamer(self) -> None:
        known, totals, legacy_from = self.known(), self.run(self.fleet.store.totals()), self._legacy_from()
        assert legacy_from < self.begun + ARRIVAL_SECONDS + 1e-3
        assert totals.apps == recount(known, legacy_from)
        if not totals.warming_up:
            free = {view.report.key for view in known.streamers if is_free(known, view, legacy_from)}
            assert not [each for each in known.queue if free & {each.ticket.wants or next(iter(free), "")}]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_no_slot_has_two_players_after_the_loss_of_a_store(implementation: str, redis_url: str) -> None:
    url = redis_url if implementation == "redis" else ""
    machine = type("Machine", (ResetMachine,), {"url": url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=100 if implementation == "memory" else 25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        ),
    )
