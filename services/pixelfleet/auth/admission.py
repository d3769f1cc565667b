"""Accepting the websocket of a client that has been admitted."""

from pixelfleet.auth.credentials import SUBPROTOCOL, offers_subprotocol
from pixelfleet.net.handshake import Accepted
from pixelfleet.net.request_head import Request
from pixelfleet.net.websocket import WebSocket


def accepted(socket: WebSocket, request: Request) -> Accepted:
    """Return the decision to open a websocket: it chooses our subprotocol, if that was offered."""
    return Accepted(socket, SUBPROTOCOL if offers_subprotocol(request.headers) else "")
