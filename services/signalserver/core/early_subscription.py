"""The subscription of a player on its arrival, which saves its page two round trips.

A page that connects with `subscribe=1` gets the list of streamers and the offer without a message of its own, if there
is exactly one streamer that it may subscribe to. Its library still sends `listStreamers` and `subscribe`. Each is
ignored once: it repeats what the page has asked for with its request.
"""

from signalserver.core.roster import K, Source, Subscriber
from signalserver.core.state import State


def begin(state: State[K], player: Subscriber[K]) -> None:
    """Send a new player the list and subscribe it, if it can see one streamer only; otherwise do nothing.

    A player that offers is not subscribed: the streamer's offer would cross its own. Streamers of 4.27 send no offer.
    At a full streamer the player is refused only when its page subscribes.
    """
    if player.offers or state.rules.legacy_streamers:
        return
    listed = _visible(state, player)
    if len(listed) != 1 or state.is_full(listed[0]):
        return
    shown_as = player.admission.shown_as if player.admission is not None else listed[0].endpoint_id
    state.send(player.peer, {"type": "streamerList", "ids": [shown_as]})
    if state.subscribe(player, listed[0]):
        player.repeats = {"listStreamers", "subscribe"}


def repeats(player: Subscriber[K], kind: str, source: Source[K] | None = None) -> bool:
    """Return whether a message of this type repeats the request of the player's arrival; it does so once.

    `source` is the streamer that the message names; a page may select another one than that on its arrival.
    """
    if kind not in player.repeats:
        return False
    player.repeats.discard(kind)
    return source is None or source is player.subscribed_to


def _visible(state: State[K], player: Subscriber[K]) -> list[Source[K]]:
    if player.admission is None:
        return state.roster.listed()
    source = state.roster.source(player.admission.endpoint_id)
    return [source] if source is not None and source.listed else []
