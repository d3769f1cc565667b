"""Acceptance of an authenticated websocket."""

from pixelfleet.auth.credentials import SUBPROTOCOL, offers_subprotocol
from pixelfleet.net.handshake import Accepted
from pixelfleet.net.request_head import Request
from pixelfleet.net.websocket import WebSocket


def accepted(socket: WebSocket, request: Request) -> Accepted:
    """Return the decision to accept a websocket, with SUBPROTOCOL if the request offers it."""
    return Accepted(socket, SUBPROTOCOL if offers_subprotocol(request.headers) else "")
