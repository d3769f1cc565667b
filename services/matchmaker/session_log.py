"""The line in the log for a whole session: a line for each step would cost more than the steps."""

from typing import TYPE_CHECKING

import structlog

from pixelfleet.protocol.endings import Ending

if TYPE_CHECKING:
    from matchmaker.player import Player

log = structlog.get_logger(__name__)


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
