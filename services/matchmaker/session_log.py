"""The lines in the log about a session, of which one is for its whole: a line for each step would cost more than that.

What is logged here about a dial or an end is recorded in the spans of the session, too.
"""

from typing import TYPE_CHECKING

import structlog

from pixelfleet.net.dial import DialError
from pixelfleet.protocol.endings import Ending

if TYPE_CHECKING:
    from matchmaker.player import Player

log = structlog.get_logger(__name__)


def log_unreachable(player: "Player", error: DialError) -> None:
    """Log that the streamer of a player's lease cannot be dialled."""
    assert player.lease is not None
    session, streamer = player.ticket.session_id, player.lease.streamer.key
    log.warning("streamer cannot be reached", session=session, streamer=streamer, why=str(error))
    player.spans.dialled(error)


def log_connected(player: "Player") -> None:
    """Log that a player is connected to the streamer of its lease, by this replica."""
    assert player.lease is not None
    session, streamer = player.ticket.session_id, player.lease.streamer.key
    log.debug("player connected to its streamer", session=session, streamer=streamer)
    player.spans.dialled()


def log_closed_early(event: str, player: "Player", code: int, reason: str) -> None:
    """Log that a streamer's server closed the connection of a player before it answered."""
    log.warning(event, session=player.ticket.session_id, code=code, reason=reason)


def log_end(player: "Player", left_at: float, ending: Ending, code: int, reason: str) -> None:
    """Log the end of a player's connection at `left_at`, on the loop's clock, with the code and reason of its close."""
    log.info(
        "player handed over" if player.handed_over else "player left",
        session=player.ticket.session_id,
        app=player.ticket.app,
        streamer=player.lease.streamer.key if player.lease is not None else "",
        waited=round((player.joined_at or left_at) - player.arrived_at, 3),
        played=round(left_at - player.joined_at, 3) if player.joined_at else 0,
        ending=ending,
        code=code,
        reason=reason,
    )
    player.spans.end(code)
