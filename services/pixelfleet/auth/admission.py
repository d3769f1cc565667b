"""Letting a websocket in that has shown who it is."""

from picows import WSListener, WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener

from pixelfleet.auth.credentials import SUBPROTOCOL, offers_subprotocol
from pixelfleet.net.websocket import WebSocket


def accepted(socket: WebSocket, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
    """Return the answer that lets a socket in: it chooses our subprotocol, if that was offered."""
    if not offers_subprotocol(request.headers):
        return socket
    answer = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": SUBPROTOCOL})
    return WSUpgradeResponseWithListener(answer, socket)
