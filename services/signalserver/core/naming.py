"""The endpoint ids of sources: an id in use stays with its holder if the holder still answers.

A streamer may connect again while its old connection seems open: after a network failure nothing has closed it. A claim
to an id in use waits until the holder has answered a ping (the claimant gets another id), has left, or has been silent
for PROBE_SECONDS (the claimant takes the id over).
"""

from collections import deque
from typing import Final

from pixelfleet.protocol import close_codes
from signalserver.core.outputs import Probe, SourceNamed
from signalserver.core.roster import Claim, K, Peer, Source
from signalserver.core.state import MAX_ENDPOINT_ID_LENGTH, State

PROBE_SECONDS: Final = 1.0
"""How long the holder of an id has to answer. The driver calls `tick` when this time is over."""

TAKEOVER_WINDOW_SECONDS: Final = 60.0
MAX_TAKEOVERS: Final = 3
"""After this many takeovers of one id in the window, the next streamer gets another id.

Without the limit, two streamers with the same id and identity would replace each other without end.
"""


def claim_id(state: State[K], source: Source[K], wanted: str, *, confirm: bool = False) -> None:
    """Assign an endpoint id to a source, or ask the holder of the id first; `confirm` the assigned id to the source."""
    wanted = wanted[:MAX_ENDPOINT_ID_LENGTH]
    holder = state.roster.source(wanted)
    pending = state.claims.get(source.peer.key)
    if pending is not None and (pending.wanted, pending.holder) == (wanted, holder):
        pending.confirm = pending.confirm or confirm
        return  # a repeated claim asks no second time, and waits no longer
    claim = Claim(source, wanted, confirm, holder, state.now)
    state.claims.pop(source.peer.key, None)
    if holder is not None and holder is not source and _may_take_over(state, source, holder):
        state.claims[source.peer.key] = claim
        state.emit(Probe(holder.peer.key))
    else:
        _assign(state, claim)


def answered(state: State[K], peer: Peer[K]) -> None:
    """Record that a peer has sent a message or a pong."""
    for claim in state.claims.values():
        if claim.holder is peer.source:
            claim.answered = True


def settle_claims(state: State[K]) -> None:
    """Decide the claims whose holder has answered, left, or been silent for too long."""
    for key, claim in list(state.claims.items()):
        holder = claim.holder
        if state.roster.find(key) is not claim.source.peer:
            del state.claims[key]
        elif holder is None or state.roster.source(claim.wanted) is not holder:
            claim_id(state, claim.source, claim.wanted, confirm=claim.confirm)
        elif claim.answered or state.now - claim.since >= PROBE_SECONDS:
            del state.claims[key]
            if not claim.answered:
                state.takeovers.setdefault(claim.wanted, deque(maxlen=MAX_TAKEOVERS)).append(state.now)
                state.close(holder.peer, close_codes.REPLACED)
            _assign(state, claim)


def prune_takeovers(state: State[K]) -> None:
    """Remove the records of takeovers that are older than the window."""
    for name in [n for n, times in state.takeovers.items() if state.now - times[-1] >= TAKEOVER_WINDOW_SECONDS]:
        del state.takeovers[name]


def _may_take_over(state: State[K], source: Source[K], holder: Source[K]) -> bool:
    """Return whether a source may replace the holder of its id, if the holder does not answer."""
    if not source.identity or source.identity != holder.identity or source.peer.role is not holder.peer.role:
        return False
    times = state.takeovers.get(holder.endpoint_id)
    return times is None or len(times) < MAX_TAKEOVERS or state.now - times[0] >= TAKEOVER_WINDOW_SECONDS


def _assign(state: State[K], claim: Claim[K]) -> None:
    """Assign the claimed id, with a number if it is in use, and notify the source and its subscribers."""
    source = claim.source
    old = source.endpoint_id
    name = state.roster.name(source, claim.wanted)
    state.emit(SourceNamed(source.peer.key, name, claim.wanted))
    if old and old != name:
        for subscriber in source.subscribers.values():
            if subscriber.admission is None:
                state.send(subscriber.peer, {"type": "streamerIdChanged", "newID": name})
    state.roster_changed()
    if claim.confirm:
        state.send_to_source(source, {"type": "endpointIdConfirm", "committedId": name})
