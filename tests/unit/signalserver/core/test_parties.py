"""The people of sessions as data."""

from pixelfleet.protocol.people import Invite
from signalserver.core.parties import MAX_VOID_INVITES, Member, Parties, Standing

GUEST = Invite(session="host", role="guest", app="game", name="Ada", id="1")
SPECTATOR = Invite(session="host", role="spectator", app="game", id="2")


def test_a_party_begins_with_its_host_and_ends_with_it() -> None:
    parties = Parties()
    assert not parties
    party = parties.open("host")
    assert parties.open("host") is party
    parties.enter(party, "ada", GUEST, shares=True)
    assert [(each.number, each.standing, each.name) for each in party.members.values()] == [
        (1, Standing.HOST, ""),
        (2, Standing.GUEST, "Ada"),
    ]
    assert parties.of("ada") is party
    assert parties.leave("unknown") is None
    assert parties.leave("host") is party
    assert not parties


def test_a_party_goes_on_without_a_guest_and_numbers_are_not_used_again() -> None:
    parties = Parties()
    party = parties.open("host")
    parties.enter(party, "ada", GUEST, shares=True)
    assert parties.leave("ada") is None
    assert parties.enter(party, "bob", SPECTATOR, shares=True).number == 3
    assert list(parties) == [party]


def test_a_handover_exchanges_standing_and_slot() -> None:
    parties = Parties()
    party = parties.open("host")
    member = parties.enter(party, "ada", GUEST, shares=True)
    member.muted = True
    party.hand_over("ada")
    former = parties.member("host")
    assert former is not None
    assert (party.host, member.watches, member.shares, former.shares) == ("ada", False, False, True)
    assert former.standing is Standing.GUEST


def test_void_invites_are_bounded() -> None:
    party = Parties().open("host")
    for number in range(MAX_VOID_INVITES + 1):
        party.revoke(Member(number, Standing.GUEST, invite_id=str(number)))
    assert (len(party.void), "0" in party.void) == (MAX_VOID_INVITES, False)
