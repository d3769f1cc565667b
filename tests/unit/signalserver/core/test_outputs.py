"""The hub executes every output of the switchboard."""

from collections.abc import Callable
from typing import get_args, get_origin

import pytest
from structlog.testing import capture_logs

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.people import Invite
from signalserver.core.outputs import (
    Call,
    Close,
    FirstFrame,
    IcePathChanged,
    InputOffered,
    InviteRequested,
    LimitReached,
    MessageDropped,
    MessageRefused,
    MessageWithheld,
    NegotiatedAgain,
    Output,
    PersonRemoved,
    PlaybackReported,
    Probe,
    RosterChanged,
    Send,
    SourceNamed,
    VideoFailed,
)
from signalserver.core.session_time import Limit
from tests.unit.signalserver.hubs import Wired, make_hub

MAKE: dict[type, Callable[[Wired], object]] = {
    Send: lambda peer: Send(peer.socket.real, b'{"type":"pong"}', "pong"),
    Close: lambda peer: Close(peer.socket.real, close_codes.KICKED, "why"),
    SourceNamed: lambda peer: SourceNamed(peer.socket.real, "cam", "cam"),
    Probe: lambda peer: Probe(peer.socket.real),
    Call: lambda peer: Call(peer.socket.real, "next", None),
    InviteRequested: lambda peer: InviteRequested(peer.socket.real, Invite(session="s", role="guest", app="car"), 60),
    PersonRemoved: lambda peer: PersonRemoved(peer.socket.real),
    NegotiatedAgain: lambda peer: NegotiatedAgain(peer.socket.real, "102", True),
    InputOffered: lambda peer: InputOffered(peer.socket.real, "cam"),
    IcePathChanged: lambda peer: IcePathChanged(peer.socket.real, "relayed"),
    FirstFrame: lambda peer: FirstFrame(peer.socket.real, {"picture": 0.2}),
    PlaybackReported: lambda peer: PlaybackReported(peer.socket.real, "H264", 1.5),
    VideoFailed: lambda peer: VideoFailed(peer.socket.real, "no_codec", ("H264",)),
    LimitReached: lambda peer: LimitReached(peer.socket.real, Limit.IDLE),
    MessageDropped: lambda peer: MessageDropped(peer.socket.real, "dance", "unknown type", 1),
    MessageWithheld: lambda peer: MessageWithheld(peer.socket.real, "layerPreference", "cam", True),
    MessageRefused: lambda _: MessageRefused("endpointIdConfirm", "cam", "10.0.0.7"),
    RosterChanged: lambda _: RosterChanged(),
}


def test_every_output_has_an_example() -> None:
    assert {get_origin(output) or output for output in get_args(Output)} == set(MAKE)


@pytest.mark.parametrize("output", MAKE)
async def test_every_output_has_an_effect(output: type) -> None:
    made = make_hub()
    peer = made.player()
    changed = made.hub.watch()

    def traces() -> tuple[object, ...]:
        return (
            len(peer.socket.sent),
            list(peer.socket.closes),
            peer.socket.pings,
            changed.is_set(),
            made.hub.ledger.changes(),
        )

    before = traces()
    with capture_logs() as lines:
        made.hub.execute([MAKE[output](peer)])  # type: ignore[list-item]  # one of each
    assert traces() != before or lines
