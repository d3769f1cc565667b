"""Frames survive the way over a trunk, and messages of a trunk are bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.net.trunk.frames import BATCH_BYTES, FRAME, MAX_MESSAGE_BYTES, TrunkError, Unsent, frames

FRAMES = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 255), st.binary(max_size=40)), max_size=20)


def messages_of(all_frames: list[tuple[int, int, bytes]]) -> list[bytes]:
    unsent = Unsent()
    for frame in all_frames:
        unsent.add(*frame)
    assert bool(unsent) == bool(all_frames)
    messages = unsent.take()
    assert not unsent
    return messages


@given(FRAMES)
def test_frames_keep_their_order_and_content(sent: list[tuple[int, int, bytes]]) -> None:
    assert [frame for message in messages_of(sent) for frame in frames(message)] == sent


@given(FRAMES.filter(bool), st.data())
def test_a_message_that_is_cut_off_is_noticed(sent: list[tuple[int, int, bytes]], data: st.DataObject) -> None:
    (message,) = messages_of(sent)
    whole = {0}
    for _, _, content in sent:
        whole.add(max(whole) + FRAME.size + len(content))
    size = data.draw(st.integers(0, len(message)).filter(lambda size: size not in whole))
    with pytest.raises(TrunkError):
        list(frames(message[:size]))


@given(st.lists(st.sampled_from([0, 1, BATCH_BYTES // 3, BATCH_BYTES, 3 * BATCH_BYTES]), max_size=8))
def test_messages_are_joined_up_to_a_bound(sizes: list[int]) -> None:
    messages = messages_of([(1, 1, bytes(size)) for size in sizes])
    assert all(messages)
    assert all(len(message) <= max(sizes) + FRAME.size + BATCH_BYTES <= MAX_MESSAGE_BYTES for message in messages)
