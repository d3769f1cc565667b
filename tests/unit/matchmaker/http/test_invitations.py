"""Invites that an operator makes: for which sessions, and the errors of the others."""

from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from pydantic import SecretStr

from matchmaker.http.fleet_reader import FleetReader
from matchmaker.http.invitations import Invitations
from matchmaker.http.schemas import Invitation
from pixelfleet.fleet.invites import invite_key, verify
from pixelfleet.fleet.memory.store import MemoryFleetStore
from pixelfleet.fleet.model import ServerReport
from tests.unit.pixelfleet.fleet.stores import streamer

KEY = "k" * 40


async def made(session: str, *, key: str | None = KEY, legacy: bool = False, **query: str) -> Invitation:
    """Ask for an invite to a session in a fleet with the player `host` and the spectator `eve`."""
    store = MemoryFleetStore()
    report = streamer(sessions=("host",), spectators=("eve",), legacy=legacy)
    await store.report(ServerReport(server_id=report.server_id, sequence=1, streamers=(report,)))
    invitations = Invitations(FleetReader(store), SecretStr(key) if key is not None else None)
    request = make_mocked_request("POST", f"/?{urlencode(query)}", match_info={"id": session})
    return await invitations.make(request)


async def test_an_invite_names_the_session_and_what_was_asked_for() -> None:
    invitation = await made("host", role="guest", once="1", seconds="60", name="Ada")
    invite = verify(invitation.token, invite_key(KEY))
    assert (invite.session, invite.role, invite.name, invite.once) == ("host", "guest", "Ada", True)
    assert invitation.query == f"invite={invitation.token}"


@pytest.mark.parametrize(
    ("session", "options", "error"),
    [
        ("nobody", {}, web.HTTPNotFound),
        ("eve", {}, web.HTTPConflict),
        ("host", {"key": None}, web.HTTPConflict),
        ("host", {"legacy": True}, web.HTTPConflict),
        ("host", {"role": "owner"}, web.HTTPBadRequest),
        ("host", {"seconds": "-1"}, web.HTTPBadRequest),
    ],
)
async def test_other_requests_are_refused(session: str, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        await made(session, **options)
