"""The invites that the pages of hosts request."""

import structlog

from pixelfleet.fleet.invites import sign
from signalserver.core.outputs import InviteRequested
from signalserver.hub import PeerConnection
from signalserver.peer_socket import PeerSocket

log = structlog.get_logger(__name__)


class Invitations:
    """Signs invites for hosts."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, connection: PeerConnection, requested: InviteRequested[PeerSocket]) -> None:
        """Send the page of a host the token of its invite."""
        invite = requested.invite
        log.info(
            "invite made", session=invite.session, role=invite.role, once=invite.once, valid_seconds=requested.seconds
        )
        token = sign(invite, self._key, requested.seconds)
        connection.hub.send(
            connection, {"type": "invited", "token": token, "role": invite.role, "seconds": requested.seconds}
        )
