"""Trunks: one websocket between two services that carries the websockets of many clients, its channels.

The opening handshake of a websocket costs both sides more than all messages of a player until its match. On a trunk it
is two small frames. A channel takes the place of picows' transport, so that `WebSocket` and its users need not know
over what they are connected.
"""
