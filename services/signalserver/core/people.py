"""Several people in one session: who enters, what each may do, and what the host decides about the others.

Streamers take input over the data channel, which passes by the server. A player that may not send input is therefore
announced to its streamer with `dataChannel: false`, and the server forwards no message with which it could open a
channel. When this changes, the player negotiates again: the server sends it another `config`, and announces it to its
streamer under another id. Only pages that ask for it are sent `people`: other pages do not know the message.
"""

from typing import Final

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode
from pixelfleet.protocol.messages import BadMessageError, Message, dump
from pixelfleet.protocol.people import Invite
from signalserver.core.outputs import InviteRequested, NegotiatedAgain, PersonRemoved
from signalserver.core.parties import Member, Party, Standing
from signalserver.core.roster import Admission, K, Peer, Role, Subscriber
from signalserver.core.session_time import exchanged
from signalserver.core.state import State

NO_SESSION: Final = "the session has ended"
NO_ROOM: Final = "the session admits no more people"
NO_SPECTATORS: Final = "streamers of Unreal 4.27 cannot have spectators: they would accept input"
OFFERS_INPUT: Final = "a player without input may not open a data channel"
NOT_HOST: Final = "only the host of a session may do this"

# -- arrival and departure --------------------------------------------------------------------------


def renew(player: Subscriber[K], former: Subscriber[K]) -> None:
    """Let a player do what it might do in an earlier negotiation of its session."""
    player.watches, player.shares, player.guest = former.watches, former.shares, former.guest
    player.invites = former.invites


def enter(state: State[K], player: Subscriber[K]) -> None:
    """Add an invited player to the people of its session, or close it if it may not enter."""
    admission = player.admission
    if player.watches:
        player.offers = False  # its offer could contain a data channel
    if player.watches and state.rules.legacy_streamers:
        _turn_away(state, player, close_codes.NOT_ALLOWED, NO_SPECTATORS)
    elif admission is not None and admission.invite is not None:
        member = state.parties.member(admission.session_id)  # of an earlier negotiation
        if member is None:
            _admit(state, player, admission, admission.invite)


def _admit(state: State[K], player: Subscriber[K], admission: Admission, invite: Invite) -> None:
    host = _player_of(state, invite.session)
    party = state.parties.of(invite.session)
    if host is None or host.admission is None or host.admission.endpoint_id != admission.endpoint_id:
        _turn_away(state, player, close_codes.SESSION_OVER, NO_SESSION)
    elif party is not None and invite.id in party.void:
        _turn_away(state, player, close_codes.KICKED, close_codes.KICKED.reason)
    elif (len(party.members) if party is not None else 1) >= state.rules.max_people:
        _turn_away(state, player, close_codes.SESSION_FULL, NO_ROOM)
    elif party is not None or not host.admission.joins:
        party = party or state.parties.open(invite.session)
        state.parties.enter(party, admission.session_id, invite, shares=player.shares)
    else:
        _turn_away(state, player, close_codes.SESSION_OVER, NO_SESSION)


def _turn_away(state: State[K], player: Subscriber[K], code: CloseCode, why: str) -> None:
    # Epic's page reconnects after any close code; after this message it stops and shows the text.
    state.subscribe_failed(player, why, code)
    state.close(player.peer, code, why)


def _player_of(state: State[K], session_id: str) -> Subscriber[K] | None:
    for peer in state.roster.peers(Role.PLAYER):
        player = peer.subscriber
        if player is not None and player.admission is not None and player.admission.session_id == session_id:
            return player
    return None


def settle(state: State[K]) -> None:
    """Apply what an event has changed: departures, new negotiations that were due, and the lists on the pages."""
    state.people_changed = False
    present = {
        peer.subscriber.admission.session_id: peer.subscriber
        for peer in state.roster.peers(Role.PLAYER)
        if peer.subscriber is not None and peer.subscriber.admission is not None
    }
    for party in state.parties:
        for session_id in [each for each in party.members if each not in present]:
            if state.parties.leave(session_id) is not None:
                _end(state, party, present)
                break
    for key in list(state.stale):
        peer = state.roster.find(key)
        if peer is None or peer.subscriber is None:
            state.stale.discard(key)
        elif not peer.subscriber.awaits_answer:
            _negotiate_again(state, peer.subscriber)
    for session_id, player in present.items():
        if player.shown_people is not None:
            _show(state, player, state.parties.of(session_id), present)
    state.people_changed = False


def _end(state: State[K], party: Party, present: dict[str, Subscriber[K]]) -> None:
    """Close the invited people of a session whose host has left: the streamer serves the next session."""
    for session_id in party.members:
        if (player := present.pop(session_id, None)) is not None:
            _turn_away(state, player, close_codes.SESSION_OVER, close_codes.SESSION_OVER.reason)


# -- what a page asks for ---------------------------------------------------------------------------


def show_people(state: State[K], peer: Peer[K], _message: Message, _: bytes) -> None:
    """Send a page the people of its session, now and after each change."""
    player = peer.subscriber
    assert player is not None
    if player.admission is not None and player.shown_people is None:
        player.shown_people = b""
        settle(state)


def _show(state: State[K], player: Subscriber[K], party: Party | None, present: dict[str, Subscriber[K]]) -> None:
    admission = player.admission
    assert admission is not None
    if party is None:
        alone = Standing.SPECTATOR if admission.joins else Standing.HOST
        members = {admission.session_id: Member(1, alone)}
    else:
        members = party.members
    own = members[admission.session_id]
    message = dump(
        {
            "type": "people",
            "self": own.number,
            "mayInvite": own.standing is Standing.HOST and state.rules.max_people > 1,
            "limit": state.rules.max_people,
            "people": [
                _person(member, away=session_id in present and present[session_id].peer.key in state.away)
                for session_id, member in members.items()
            ],
        }
    )
    if message != player.shown_people:
        player.shown_people = message
        state.send_encoded(player.peer, message, "people")


def _person(member: Member, *, away: bool) -> Message:
    person: Message = {"id": member.number, "role": member.standing.value}
    if member.name:
        person["name"] = member.name
    return {**person, **({"muted": True} if member.muted else {}), **({"away": True} if away else {})}


# -- what a host asks for ---------------------------------------------------------------------------


def invite(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Request an invite for the page of a host."""
    player, session_id, _party = _host(state, peer)
    assert player.admission is not None
    if player.invites >= state.rules.max_invites or state.rules.max_people < 2:
        state.send(peer, {"type": "invited", "error": "no more invites can be made in this session"})
        return
    player.invites += 1
    wanted = Invite(
        session=session_id,
        role=message["role"],
        app=player.admission.shown_as,
        name=message.get("name", ""),
        once=message.get("once", False),
    )
    state.emit(InviteRequested(peer.key, wanted, message["seconds"]))


def kick(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Remove a person from the session of a host; its invite admits nobody any more."""
    _player, _session, party = _host(state, peer)
    session_id, member = _person_of(party, message)
    party.revoke(member)
    if (player := _player_of(state, session_id)) is not None:
        state.emit(PersonRemoved(player.peer.key))


def mute(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Take the input of a guest away, or give it back."""
    _player, _session, party = _host(state, peer)
    session_id, member = _person_of(party, message)
    if member.standing is not Standing.GUEST:
        raise BadMessageError("mute: the person is no guest")
    member.muted = message["muted"]
    _apply(state, session_id, member)


def hand_over(state: State[K], peer: Peer[K], message: Message, _: bytes) -> None:
    """Make another person the host of the session; the sender becomes a guest. They exchange slot and time."""
    player, own_session, party = _host(state, peer)
    session_id, member = _person_of(party, message)
    heir = _player_of(state, session_id)
    if heir is None or heir.peer.key in state.away:
        raise BadMessageError("handOver: the person is away")
    party.hand_over(session_id)
    for each in (player, heir):
        if each.slot_since is not None:
            each.time.begin(each.slot_since)
    player.time, heir.time = exchanged(player.time, heir.time)
    heir.time.extend(state.now, 0.0, state.rules.session)  # the time without input begins anew
    _apply(state, own_session, party.members[own_session])
    _apply(state, session_id, member)
    state.roster_changed()


def _host(state: State[K], peer: Peer[K]) -> tuple[Subscriber[K], str, Party]:
    """Return a host with its session and its party, which may be of one; raise BadMessageError for anyone else."""
    player = peer.subscriber
    assert player is not None
    admission = player.admission
    if admission is None:
        raise BadMessageError(NOT_HOST)
    party = state.parties.of(admission.session_id)
    if party is None:
        if admission.joins:
            raise BadMessageError(NOT_HOST)
        return player, admission.session_id, Party()
    if party.members[admission.session_id].standing is not Standing.HOST:
        raise BadMessageError(NOT_HOST)
    return player, admission.session_id, party


def _person_of(party: Party, message: Message) -> tuple[str, Member]:
    found = party.find(message.get("person", 0))
    if found is None or found[1].standing is Standing.HOST:
        raise BadMessageError(f"{message['type']}: no such person")
    return found


# -- input ------------------------------------------------------------------------------------------


def _apply(state: State[K], session_id: str, member: Member) -> None:
    """Apply what a person may do to its player, which negotiates again if its input has changed."""
    state.people_changed = True
    player = _player_of(state, session_id)
    if player is None:
        return
    player.shares, player.guest = member.shares, member.standing is Standing.GUEST
    if player.watches is not member.watches:
        player.watches = member.watches
        # A player that is not subscribed yet is announced in this way when it subscribes.
        if player.subscribed_to is not None:
            state.stale.add(player.peer.key)


def _negotiate_again(state: State[K], player: Subscriber[K]) -> None:
    """Announce a player anew to its source, without or with a data channel, and have its page begin anew."""
    state.stale.discard(player.peer.key)
    source = player.subscribed_to
    if source is None:
        return
    state.unsubscribe(player)
    # With another id, the source does not take late messages for the former connection as those of the new one.
    player.player_id = state.next_player_id()
    player.bundle_index, player.offers = None, False
    state.emit(NegotiatedAgain(player.peer.key, player.player_id, player.watches))
    state.send_encoded(player.peer, player.config, "config")
    state.subscribe(player, source)
