"""The invites that the pages of hosts request."""

from pixelfleet.fleet.invites import invite_key, verify
from pixelfleet.protocol.people import Invite
from signalserver.core.outputs import InviteRequested
from signalserver.core.roster import Admission
from signalserver.invitations import Invitations
from tests.unit.signalserver.hubs import make_hub

KEY = invite_key("k" * 40)


async def test_a_host_is_sent_the_token_of_its_invite() -> None:
    made = make_hub()
    host = made.player(Admission("host", "cam", "game"))
    before = len(host.received())
    invite = Invite(session="host", role="guest", app="game", once=True)
    Invitations(KEY).make(host.connection, InviteRequested(host.socket.real, invite, 60))
    (message,) = host.received()[before:]
    assert (message["type"], message["role"], message["seconds"]) == ("invited", "guest", 60)
    assert verify(message["token"], KEY).session == "host"


async def test_without_a_session_key_a_request_is_refused() -> None:
    made = make_hub()
    made.streamer("cam")
    host = made.player(Admission("host", "cam", "game"))
    before = len(host.received())
    host.send("invite", role="guest", seconds=60)
    (message,) = host.received()[before:]
    assert "error" in message
