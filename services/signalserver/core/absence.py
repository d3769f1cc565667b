"""Players that are away: their websocket has ended, and their session is kept for a while.

An away player keeps its slot and its subscription, and its streamer is not notified. Its time to the first media does
not run, because it cannot answer; `State.close_idle_player` bounds these pauses. A player that has not returned in time
is closed.
"""

from typing import Final

from pixelfleet.protocol import close_codes
from signalserver.core.roster import Absence, K, Subscriber
from signalserver.core.state import State

EXPIRED: Final = "the player did not return in time"


def begin(state: State[K], player: Subscriber[K], seconds: float) -> None:
    """Keep the session of a player that has no websocket for `seconds` from now on; it may be away already."""
    key = player.peer.key
    since = state.away[key].since if key in state.away else state.now
    player.longest_absence = max(player.longest_absence, seconds)
    state.away[key] = Absence(since, state.now + seconds)
    state.roster_changed()


def end(state: State[K], player: Subscriber[K]) -> None:
    """End the absence of a player, if it is away."""
    absence = state.away.pop(player.peer.key, None)
    if absence is None:
        return
    if player.slot_since is not None:
        player.paused += state.now - absence.since
    state.roster_changed()


def renew(player: Subscriber[K], former: Subscriber[K]) -> None:
    """Continue the time to the first media of a session in its next negotiation, if no earlier one had an answer.

    Otherwise a page could occupy a slot without media for any time.
    """
    if not former.negotiated:
        player.slot_since, player.paused = former.slot_since, former.paused
        player.longest_absence = former.longest_absence


def expire(state: State[K]) -> None:
    """Close the players that have not returned in time."""
    for key, absence in list(state.away.items()):
        peer = state.roster.find(key)
        if peer is not None and state.now >= absence.until:
            state.close(peer, close_codes.SESSION_GONE, EXPIRED)
