"""aiortc's peer connection, without its errors for a connection that ends while it is being established."""

from typing import Final

from aiortc import InvalidStateError, RTCPeerConnection

_ESTABLISH: Final = "_RTCPeerConnection__connect"
"""The method that aiortc runs in a task of its own, which nothing awaits. The tests fail if a later aiortc has none."""


class Connection(RTCPeerConnection):
    """A peer connection that can be closed at any time."""

    async def _establish(self) -> None:
        """Run ICE and DTLS.

        aiortc starts the transports one after the other. When the connection is closed meanwhile, it raises an error
        for the next one, which the log would show with a traceback.
        """
        try:
            await getattr(super(), _ESTABLISH)()
        except InvalidStateError:
            if self.signalingState != "closed":
                raise


setattr(Connection, _ESTABLISH, Connection._establish)  # noqa: SLF001 - the class itself
