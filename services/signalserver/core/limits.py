"""The limits of sessions: warnings to the page, and the end.

Only pages that can resume are sent `sessionLimit`: other pages do not know the message. The time of a player that is
away counts, because its streamer is occupied.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.messages import Message
from signalserver.core.outputs import LimitReached
from signalserver.core.roster import K, Peer, Role, Subscriber
from signalserver.core.session_time import Limit, Remaining, SessionRules
from signalserver.core.sessions import direct_session
from signalserver.core.state import State

REPORT_SECONDS: Final = 10
"""A page reports its input at most this often while there is no warning."""

SAME_END: Final = 0.5
"""A page is warned again when the end has moved by more than this, in seconds."""

CODES: Final[Mapping[Limit, CloseCode]] = {Limit.TIME: close_codes.TIME_OVER, Limit.IDLE: close_codes.IDLE}


def begin(state: State[K], player: Subscriber[K]) -> None:
    """Ask the page of a new player for reports, if a limit needs them."""
    player.time.show(state.now)  # an earlier page of the session may have been hidden
    if player.hears_limits and rules_of(state, player).needs_reports:
        state.send(player.peer, {"type": "sessionLimit", "reportSeconds": REPORT_SECONDS})


def report_activity(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Record when the page had its last input, and whether its tab is hidden."""
    player = peer.subscriber
    assert player is not None
    _start(player)
    player.time.report(state.now, message["idle"], rules_of(state, player), hidden=message.get("hidden", False))
    _apply(state, player)


def extend(state: State[K], player: Subscriber[K], seconds: float) -> None:
    """Let the session of a player last longer by `seconds`, and let its time without input begin anew."""
    _start(player)
    player.time.extend(state.now, seconds, rules_of(state, player))
    _apply(state, player)


def warn_again(state: State[K], player: Subscriber[K]) -> None:
    """Send a page that has returned the present warning: an earlier one was kept for it, with an outdated time.

    It closes no player whose time is over, because a page may be taking its slot: the next check does.
    """
    if player.warned is None:
        return
    remaining = player.time.remaining(state.now, rules_of(state, player))
    if remaining is None or remaining.seconds > 0:
        player.warned = None
        _apply(state, player, always=True)


def check(state: State[K]) -> None:
    """Warn the players whose sessions are about to end, and close those whose time is over."""
    for peer in list(state.roster.peers(Role.PLAYER)):
        player = peer.subscriber
        if player is not None and (player.time.longest or rules_of(state, player).any):
            _start(player)
            _apply(state, player)


def rules_of(state: State[K], player: Subscriber[K]) -> SessionRules:
    """Return the limits of a player's session: its own, or those of the server."""
    own = player.admission.rules if player.admission is not None else None
    return own or state.rules.session


def warned_sessions(players: Iterable[Subscriber[K]]) -> dict[str, str]:
    """Return the limits of which sessions are warned, by the id of the session."""
    warned = {}
    for player in players:
        if player.warned is not None:
            leased = player.admission
            name = leased.session_id if leased is not None else direct_session(player.player_id)
            warned[name] = player.warned[0].value
    return warned


def _start(player: Subscriber[K]) -> None:
    if player.slot_since is not None:
        player.time.begin(player.slot_since)


def _apply(state: State[K], player: Subscriber[K], *, always: bool = False) -> None:
    """Close a player at a limit; warn its page before that, and inform it when the warning is no longer true.

    Other pages than those that know `sessionLimit` are recorded as warned and sent nothing.
    """
    rules, now = rules_of(state, player), state.now
    remaining = player.time.remaining(now, rules) if player.time.started is not None else None
    if remaining is not None and remaining.seconds <= 0:
        _end(state, player, remaining.limit)
        return
    if remaining is None or remaining.seconds > rules.warn_seconds:
        if player.warned is not None or always:
            player.warned = None
            _send(state, player, {"type": "sessionLimit"})
        return
    end = (remaining.limit, now + remaining.seconds)
    if player.warned is None or (_moved(player.warned, end) and not player.time.paused(now, rules)):
        player.warned = end
        _send(state, player, _warning(remaining))


def _send(state: State[K], player: Subscriber[K], message: Message) -> None:
    if player.hears_limits:
        state.send(player.peer, message)


def _moved(warned: tuple[Limit, float], end: tuple[Limit, float]) -> bool:
    return warned[0] is not end[0] or abs(warned[1] - end[1]) > SAME_END


def _warning(remaining: Remaining) -> Message:
    return {"type": "sessionLimit", "limit": remaining.limit.value, "remaining": round(remaining.seconds, 1)}


def _end(state: State[K], player: Subscriber[K], limit: Limit) -> None:
    code = CODES[limit]
    state.emit(LimitReached(player.peer.key, limit))
    # Epic's page reconnects after any close code; after this message it stops and shows the text.
    state.subscribe_failed(player, code.reason, code)
    state.close(player.peer, code)
