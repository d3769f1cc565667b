import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.fleet.book.ranked import Ranked

names = st.sampled_from(["a", "b", "c", "ä", "\U0001f600"])
changes = st.lists(st.tuples(names, st.none() | st.integers(-2, 2)), max_size=30)


@given(changes)
def test_names_are_in_the_order_of_their_numbers_and_then_of_their_own(changes: list[tuple[str, int | None]]) -> None:
    ranked, plain = Ranked(), dict[str, int]()
    for name, rank in changes:
        if rank is None:
            ranked.drop(name)
            plain.pop(name, None)
        else:
            ranked.put(name, rank)
            plain[name] = rank
        order = sorted((rank, name) for name, rank in plain.items())
        assert list(ranked.pairs()) == order
        assert list(ranked) == [name for _, name in order]
        assert ranked.first(2) == [name for _, name in order[:2]]
        assert ranked.lowest() == (order[0][0] if order else None)
        assert [ranked.at(place) for place in range(len(ranked))] == order
        assert {name: ranked.rank(name) for name in ranked} == plain
        assert all(name in ranked for name in plain)


def test_there_is_nothing_behind_the_last_place() -> None:
    ranked = Ranked()
    ranked.put("a", 1)
    with pytest.raises(IndexError):
        ranked.at(1)
    assert list(ranked.pairs(1)) == []
    assert ranked.rank("b") is None
