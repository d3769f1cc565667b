"""The place of a waiting player in the queue, to which its page may return after its connection was lost."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from matchmaker import messages
from matchmaker.session_urls import return_url, session_url
from pixelfleet.fleet import waiting
from pixelfleet.fleet.model import Lease, LeaseState
from pixelfleet.fleet.returning import KEPT, SUBSCRIBE
from pixelfleet.fleet.waiting import WaitingToken
from pixelfleet.protocol import close_codes
from pixelfleet.protocol.endings import Ending, ending_of

if TYPE_CHECKING:
    from matchmaker.player import Player

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Place:
    """The place of one player; players whose pages cannot return share one without a key."""

    key: bytes = b""
    """Signs the token of the page; empty if the page cannot return."""
    returned: bool = False
    """Whether the page has returned with a token."""
    _offered: bool = False
    """Whether the page has its token."""
    taken: bool = False
    """Whether the page has returned over another connection, which owns the session from now on."""

    def waits(self, player: "Player") -> None:
        """Record that a player waits, and send its page the token with which it returns to its place, once."""
        ticket = player.ticket
        log.info("player waits", session=ticket.session_id, app=ticket.app, wants=ticket.wants, returned=self.returned)
        self.offer(player)

    def offer(self, player: "Player") -> None:
        """Send the page its token, once."""
        player.spans.waits()
        if self.key and not self._offered:
            self._offered = True
            token = waiting.sign(WaitingToken(player.ticket, player.passed_on, player.spans.traceparent), self.key)
            player.socket.send(messages.place(token, player.ticket.keeps_place))

    def url(self, player: "Player", lease: Lease, seconds: float = 0.0) -> str:
        """Return the URL to dial for a lease of a session that may last for `seconds`, or with 0 without a limit.

        A page may return to its place although its player has arrived at its streamer meanwhile: the page was lost
        before it got the token of its session. It then negotiates again in that session, which its server owns.
        """
        key, passed_on = player.context.session_key, player.passed_on
        if self._offered or self.returned or not self.key:
            # A page that has waited may be in its browser's cache: it must subscribe itself.
            passed_on = {name: value for name, value in passed_on.items() if name != SUBSCRIBE}
        if player.ticket.by_cookie and not lease.streamer.legacy:
            passed_on = {**passed_on, KEPT: "1"}
        if key is not None and lease.session_id != player.ticket.session_id:
            log.info("player is brought back", session=player.ticket.session_id, back_to=lease.session_id)
            return return_url(lease, key, passed_on)
        if self.returned and lease.state is LeaseState.HELD and key is not None and not lease.streamer.legacy:
            player.context.broker.arrived(lease.session_id)
            return return_url(lease, key, passed_on)
        ticket = player.ticket
        return session_url(lease, key, passed_on, ticket.limits, seconds=seconds, invite=ticket.invite)

    def leave(self, player: "Player", code: int) -> None:
        """End the session of a player without a streamer; its place is kept if its page may return."""
        if not self.taken:
            may_return = bool(self.key) and ending_of(code) is not Ending.LEFT
            player.context.broker.leave(player.ticket.session_id, may_return=may_return, code=code)

    def take(self, player: "Player") -> None:
        """Close a player whose page has returned over another connection."""
        self.taken = True
        player.socket.close(close_codes.CONTINUED_ELSEWHERE)


NO_PLACE: Final = Place()
"""That of all players whose pages cannot return."""
