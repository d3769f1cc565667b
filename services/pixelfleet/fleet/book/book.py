"""The book of the fleet: one method for each of the store's, given the clock's value."""

from collections.abc import Mapping, Sequence
from typing import Final

from pixelfleet.fleet.book import endings, failures, matching, reports, restoring, slots, tickets
from pixelfleet.fleet.book.state import Session, State, discard, micros
from pixelfleet.fleet.model import (
    PAGE_ARRIVAL_SECONDS,
    Kept,
    Lease,
    LeaseState,
    Policy,
    Reported,
    ServerReport,
    Ticket,
)
from pixelfleet.fleet.store import Placed, TooManyChoicesError

PAGE_ARRIVAL: Final = micros(PAGE_ARRIVAL_SECONDS)


class Book:
    """The fleet as one process knows it. Each call is given the time in seconds; nothing in it waits or fails."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.state = State()

    def begin(self, now: float) -> None:
        """Let lapse what is over. Each of the other methods is called after this."""
        endings.expire(self.state, micros(now))

    def woken(self) -> list[str]:
        """Return the replicas for which something was matched since the last `begin`, without their asking."""
        return [replica for replica, matches in self.state.woken.items() if matches > 0]

    # -- owners of streamers, and replicas ----------------------------------------------------------

    def report(self, report: ServerReport) -> Reported:
        """Replace what is known of one server's streamers."""
        return reports.report(self.state, report)

    def keep(self, replica_id: str) -> Kept:
        """Keep a replica alive; claim what was matched for it."""
        state = self.state
        endings.alive(state, replica_id)
        matching.catch_up(state)
        leases = []
        for session_id in state.news.pop(replica_id, ()):
            session = state.sessions.get(session_id)
            if session is None or session.state is not LeaseState.MATCHED or session.replica != replica_id:
                continue
            tickets.claim(state, session_id)
            leases.append(self._lease(session_id))
        del state.woken[replica_id]
        return Kept(
            epoch=self.epoch,
            young=False,
            sessions=len(state.of_replica.get(replica_id, ())),
            leases=tuple(leases),
            end=tuple(sorted(state.to_end.pop(f"replica:{replica_id}", ()))),
            held_back=tuple(sorted(state.held_back)),
        )

    def join(self, ticket: Ticket, replica_id: str) -> Placed | None:
        """Give a ticket a streamer, or a place; None only for a page, which is what an empty replica says."""
        state, session_id = self.state, ticket.session_id
        if session_id in state.sessions:
            self._move(session_id, replica_id)
            return self._placed(session_id)
        wants = matching.meant(state, ticket.app, ticket.wants)
        if not wants and not slots.know_choice(state, ticket.app, ticket.selector, taken_in=False):
            raise TooManyChoicesError("too many different choices of labels are waited for")
        arrived = max(state.now, state.last + 1)
        session = tickets.session_of(ticket, replica_id, wants, arrived)
        choice = None if state.behind else matching.choose(state, session)
        if choice is None and not replica_id:
            return None
        state.last = arrived
        self._put(session_id, session)
        if choice is None:
            tickets.enqueue(state, session_id)
        else:
            arrival = 0 if replica_id else PAGE_ARRIVAL
            tickets.assign(state, session_id, choice[0], LeaseState.CLAIMED, shared=choice[1], arrival=arrival)
        return self._placed(session_id)

    def leave(self, session_id: str, replica_id: str) -> None:
        """Take a session out; with a replica, only while it is that replica's."""
        session = self.state.sessions.get(session_id)
        if session is not None and replica_id in ("", session.replica):
            endings.leave(self.state, session_id)

    def give_back(self, session_id: str, streamer: str, *, unreachable: bool) -> Placed | None:
        """Return a claimed lease."""
        state, session = self.state, self.state.sessions.get(session_id)
        if session is None or session.state is LeaseState.HELD:
            return None
        key = session.key
        if session.state is None or streamer not in ("", key):
            return self._placed(session_id)
        if unreachable:
            failures.note_failure(state, session)
        tickets.back(state, session_id)
        matching.serve(state, key)
        matching.place(state, session_id, LeaseState.CLAIMED)
        return self._placed(session_id)

    def restore(
        self,
        replica_id: str,
        waiting: Sequence[tuple[Ticket, float]],
        leases: Sequence[tuple[Ticket, Lease]],
        unsettled: Sequence[str],
    ) -> None:
        """Make a replica's sessions exactly these."""
        restoring.restore(self.state, replica_id, waiting, leases, unsettled)

    def set_policies(self, policies: Mapping[str, Policy]) -> None:
        """Say how free streamers are chosen."""
        state = self.state
        state.policies = dict(policies)
        for app in state.apps.values():
            for key in app.free[""].first(len(app.free[""])):
                slots.refresh(state, key)

    # -- operators ----------------------------------------------------------------------------------

    def hold_back(self, key: str, *, on: bool) -> bool:
        """Match nobody to a streamer any more, or do again."""
        streamer = self.state.streamers.get(key)
        if streamer is None:
            return False
        (self.state.held_back.add if on else self.state.held_back.discard)(key)
        streamer.held_back = on
        matching.serve(self.state, key)
        return True

    def end(self, session_id: str) -> bool:
        """Have whoever holds a session end it."""
        state, session = self.state, self.state.sessions.get(session_id)
        if session is None:
            return False
        streamer = state.streamers.get(session.key)
        if session.state is LeaseState.HELD and streamer is not None:
            state.to_end.setdefault(f"server:{streamer.report.server_id}", set()).add(session_id)
        elif not session.replica:
            endings.leave(state, session_id)  # of a page that is on its way nobody else knows
        else:
            state.to_end.setdefault(f"replica:{session.replica}", set()).add(session_id)
            state.woken[session.replica] += 1
        return True

    # -- inside -------------------------------------------------------------------------------------

    def _lease(self, session_id: str) -> Lease:
        lease = self.state.lease_of(session_id)
        assert lease is not None
        return lease

    def _placed(self, session_id: str) -> Placed | None:
        """Return what a session has; a lease is claimed by that."""
        state, session = self.state, self.state.sessions.get(session_id)
        if session is None:
            return None
        if session.state is None:
            return session.waiting()
        if session.state is LeaseState.MATCHED:
            tickets.heard(state, session_id, session.replica)
            tickets.claim(state, session_id)
        return self._lease(session_id)

    def _put(self, session_id: str, session: Session) -> None:
        self.state.sessions[session_id] = session
        if session.replica:
            self.state.of_replica.setdefault(session.replica, set()).add(session_id)
            endings.know_replica(self.state, session.replica)

    def _move(self, session_id: str, replica_id: str) -> None:
        """The player of a session has come back through another replica."""
        state, session = self.state, self.state.sessions[session_id]
        if not replica_id or session.replica in ("", replica_id):
            return
        if session.state is LeaseState.MATCHED:
            tickets.heard(state, session_id, session.replica)
            tickets.announce(state, session_id, replica_id)
        if session.state is not LeaseState.HELD:
            discard(state.of_replica, session.replica, session_id)
            state.of_replica.setdefault(replica_id, set()).add(session_id)
            endings.know_replica(state, replica_id)
        session.replica = replica_id
