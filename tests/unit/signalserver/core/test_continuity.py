from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalserver.core.continuity import DROPPED_AT_ONCE, GRANT_BYTES, MAX_BYTES, MESSAGE_BYTES, Budget, Line


def filled(messages: Sequence[bytes], budget: Budget | None = None) -> Line:
    line = Line(budget or Budget())
    for data in messages:
        line.send(data)
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


def test_the_oldest_messages_are_dropped_above_the_limit() -> None:
    many = [b"%d" % number for number in range(1000)]
    line = filled(many)
    kept = line.resume(line.acknowledged)
    assert kept == many[-len(kept or ()) :]
    assert MAX_BYTES // MESSAGE_BYTES - DROPPED_AT_ONCE - 16 <= len(kept) <= MAX_BYTES // MESSAGE_BYTES
    assert line.resume(line.acknowledged - 1) is None


def test_a_message_that_is_too_large_to_be_kept_is_sent() -> None:
    sent: list[bytes] = []
    line = Line(Budget())
    line.carry = sent.append
    line.send(b"x" * MAX_BYTES)
    assert sent == [b"x" * MAX_BYTES]
    assert line.resume(0) is None
    assert line.resume(1) == []


def test_messages_are_kept_while_there_is_no_websocket() -> None:
    sent: list[bytes] = []
    line = Line(Budget())
    line.send(b"0")
    line.carry = sent.append
    line.send(b"1")
    line.pause()
    line.send(b"2")
    assert sent == [b"1"]
    assert line.resume(0) == [b"0", b"1", b"2"]


def test_all_lines_together_are_limited() -> None:
    size = GRANT_BYTES - MESSAGE_BYTES
    budget = Budget(4 * GRANT_BYTES)
    first = filled([b"x" * size] * 3, budget)
    second = filled([b"y" * size], budget)
    assert budget.free == 0
    assert first.resume(0) == [b"x" * size] * 3
    second.send(b"z" * size)
    assert second.resume(0) is None
    first.end()
    assert budget.free == 3 * GRANT_BYTES
    second.end()
    assert budget.free == 4 * GRANT_BYTES


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
                line.send(sent[-1])
            assert budget.free >= 0
        made.append((line, sent))
    for line, sent in made:
        assert line.sent == len(sent)
        messages = line.resume(line.acknowledged)
        assert messages == sent[line.acknowledged :]
        assert sum(map(len, messages)) <= min(MAX_BYTES, grants * GRANT_BYTES)
        line.end()
    assert budget.free == grants * GRANT_BYTES


def test_a_line_that_has_ended_keeps_nothing() -> None:
    budget = Budget(2 * GRANT_BYTES)
    line = Line(budget)
    line.send(b"before")
    line.end()
    line.send(b"the late answer of a call to the application")
    assert budget.free == 2 * GRANT_BYTES
    assert line.resume(2) == []
