"""Peers and their ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.protocol.dialects import Dialect
from signalserver.core.roster import Peer, Role, Roster, Source


def streamer(roster: Roster[str], key: str) -> Source[str]:
    peer = Peer(key, Role.STREAMER, 0.0)
    source = peer.source = Source(peer, Dialect.MODERN)
    roster.add(peer)
    return source


def test_peers_are_listed_by_role_and_oldest_first() -> None:
    roster: Roster[str] = Roster()
    for key, role in (("a", Role.PLAYER), ("b", Role.STREAMER), ("c", Role.PLAYER)):
        roster.add(Peer(key, role, 0.0))
    assert [peer.key for peer in roster.peers(Role.PLAYER)] == ["a", "c"]
    assert len(roster) == 3


def test_a_key_belongs_to_one_peer() -> None:
    roster: Roster[str] = Roster()
    roster.add(Peer("a", Role.PLAYER, 0.0))
    with pytest.raises(ValueError, match="in use"):
        roster.add(Peer("a", Role.STREAMER, 0.0))


def test_an_id_is_free_when_its_holder_has_left() -> None:
    roster: Roster[str] = Roster()
    first, second = streamer(roster, "a"), streamer(roster, "b")
    assert (roster.name(first, "cam"), roster.name(second, "cam")) == ("cam", "cam1")
    roster.remove(first.peer)
    assert roster.source("cam") is None
    assert roster.name(second, "cam") == "cam"
    assert roster.source("cam1") is None


def test_only_a_source_that_has_an_id_and_streams_is_listed() -> None:
    roster: Roster[str] = Roster()
    nameless, quiet, seen = (streamer(roster, key) for key in "abc")
    roster.name(quiet, "quiet")
    quiet.streaming = False
    roster.name(seen, "seen")
    assert roster.listed() == [seen]
    assert roster.named() == [quiet, seen]
    assert nameless not in roster.named()


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["cam", "cam1", "cam2", "x"])), max_size=30))
def test_ids_are_unique(requests: list[tuple[int, str]]) -> None:
    roster: Roster[str] = Roster()
    sources = [streamer(roster, str(number)) for number in range(5)]
    for number, wanted in requests:
        name = roster.name(sources[number], wanted)
        assert name.startswith(wanted)
        assert roster.source(name) is sources[number]
        held = [source.endpoint_id for source in sources if source.endpoint_id]
        assert len(held) == len(set(held)) == len(roster.named())
