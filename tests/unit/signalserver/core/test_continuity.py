from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalserver.core.continuity import GRANT_BYTES, MAX_BYTES, MAX_MESSAGES, Budget, Line


def filled(messages: Sequence[bytes], budget: Budget | None = None) -> Line:
    line = Line(budget or Budget())
    for data in messages:
        line.keep(data)
    return line


def test_a_page_gets_the_messages_that_it_lacks_in_order() -> None:
    line = filled([b"0", b"1", b"2"])
    assert line.resume(1) == [b"1", b"2"]
    assert (line.acknowledged, line.sent) == (1, 3)
    assert line.resume(3) == []


def test_an_acknowledged_message_is_not_kept() -> None:
    line = filled([b"0", b"1", b"2"])
    line.acknowledge(2)
    assert line.resume(2) == [b"2"]
    assert line.resume(1) is None
    line.acknowledge(1)  # an acknowledgement that was overtaken
    assert line.resume(2) == [b"2"]


@pytest.mark.parametrize("received", [-1, 4, 10**18])
def test_a_number_of_messages_that_were_not_sent_changes_nothing(received: int) -> None:
    line = filled([b"0", b"1", b"2"])
    line.acknowledge(received)
    assert line.resume(received) is None
    assert line.resume(0) == [b"0", b"1", b"2"]


def test_the_oldest_messages_are_dropped_above_the_limits() -> None:
    line = filled([b"%d" % number for number in range(MAX_MESSAGES + 1)])
    assert line.resume(0) is None
    assert line.resume(1) == [b"%d" % number for number in range(1, MAX_MESSAGES + 1)]
    line = filled([b"x" * (MAX_BYTES // 2), b"1", b"y" * (MAX_BYTES // 2)])
    assert line.resume(0) is None
    assert line.resume(1) == [b"1", b"y" * (MAX_BYTES // 2)]


def test_all_lines_together_are_limited() -> None:
    budget = Budget(4 * GRANT_BYTES)
    first = filled([b"x" * GRANT_BYTES] * 3, budget)
    second = filled([b"y" * GRANT_BYTES] * 3, budget)
    assert budget.free == 0
    assert first.resume(0) == [b"x" * GRANT_BYTES] * 3
    assert second.resume(1) is None
    assert second.resume(2) == [b"y" * GRANT_BYTES]
    first.end()
    assert budget.free == 3 * GRANT_BYTES


@given(
    st.lists(st.lists(st.one_of(st.integers(0, 40_000), st.none()), max_size=60), min_size=1, max_size=4),
    st.integers(1, 8),
)
def test_a_line_keeps_a_suffix_within_its_bounds(lines: list[list[int | None]], grants: int) -> None:
    """A number is the size of a message, and None an acknowledgement of half of those that are kept."""
    budget = Budget(grants * GRANT_BYTES)
    made = []
    for steps in lines:
        line = Line(budget)
        sent: list[bytes] = []
        for size in steps:
            if size is None:
                line.acknowledge((line.acknowledged + line.sent + 1) // 2)
            else:
                sent.append(b"%d" % len(sent) + b"." * size)
                line.keep(sent[-1])
            assert budget.free >= 0
        made.append((line, sent))
    for line, sent in made:
        assert line.sent == len(sent)
        messages = line.resume(line.acknowledged)
        assert messages == sent[line.acknowledged :]
        assert sum(map(len, messages)) <= min(MAX_BYTES, grants * GRANT_BYTES)
        line.end()
    assert budget.free == grants * GRANT_BYTES
