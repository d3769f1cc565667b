"""The identity of a player with an invite."""

import pytest
from aiohttp import web
from msgspec import structs

from pixelfleet.auth.guard import Guard
from pixelfleet.auth.identity import InvalidCredentialsError
from pixelfleet.auth.invited import identity_of
from pixelfleet.auth.policy import AccessPolicy
from pixelfleet.fleet.invites import invite_key, sign
from pixelfleet.protocol.people import Invite
from tests.unit.pixelfleet.auth.test_guard import request

KEY = invite_key("k" * 40)
INVITE = Invite(session="s" * 32, role="spectator", app="game", once=True)


def test_the_holder_may_only_join_the_session_of_the_invite() -> None:
    identity = identity_of(sign(INVITE, KEY, 60), KEY)
    assert (identity.method, identity.apps) == ("invite", ("game",))
    assert identity.roles == {"spectator"}
    assert identity.invite is not None
    assert (identity.wants, identity.link_id) == ("s" * 32, identity.invite.id)
    assert identity.single_use_until > identity.invite.expires


def test_the_name_that_a_host_has_chosen_is_not_the_subject() -> None:
    identity = identity_of(sign(structs.replace(INVITE, name="root"), KEY, 60), KEY)
    assert identity.invite is not None
    assert (identity.invite.name, identity.subject) == ("root", f"invite {identity.invite.id[:8]}")


def test_the_name_in_an_invite_is_no_subject() -> None:
    """A page that makes invites could have the records and the admission webhook name any other person."""
    identity = identity_of(sign(structs.replace(INVITE, name="ada"), KEY, 60), KEY)
    assert identity.invite is not None
    assert (identity.subject, identity.invite.name) == (f"invite {identity.invite.id[:8]}", "ada")


@pytest.mark.parametrize(("token", "key", "why"), [("x", KEY, "not valid"), ("x", b"", "not accepted")])
def test_an_invalid_invite_is_refused(token: str, key: bytes, why: str) -> None:
    with pytest.raises(InvalidCredentialsError, match=why):
        identity_of(token, key)


@pytest.mark.parametrize("method", ["none", "basic", "link"])
async def test_an_invite_replaces_all_other_credentials_and_an_invalid_one_is_refused(method: str) -> None:
    guard, policy = Guard(["*"], invite_key=KEY), AccessPolicy("players", method, links=True)  # type: ignore[arg-type]
    assert (await guard.check(policy, request(f"/?invite={sign(INVITE, KEY, 60)}"))).method == "invite"
    with pytest.raises(web.HTTPUnauthorized):
        await guard.check(policy, request("/?invite=x"))


async def test_an_invite_admits_to_no_interface_of_operators() -> None:
    guard = Guard(["*"], invite_key=KEY)
    with pytest.raises(web.HTTPUnauthorized):
        await guard.check(AccessPolicy("dashboard", "basic"), request(f"/?invite={sign(INVITE, KEY, 60)}"))
