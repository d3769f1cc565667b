"""The upgrade response to an authenticated websocket request."""

from picows import WSListener, WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener

from pixelfleet.auth.credentials import SUBPROTOCOL, offers_subprotocol
from pixelfleet.net.websocket import WebSocket


def accepted(socket: WebSocket, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
    """Return the response that accepts a websocket and selects SUBPROTOCOL, if the request offers it."""
    if not offers_subprotocol(request.headers):
        return socket
    answer = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": SUBPROTOCOL})
    return WSUpgradeResponseWithListener(answer, socket)
