from hypothesis import given
from hypothesis import strategies as st

from signalserver.launcher.output import LINE_BURST, LINES_PER_SECOND, MAX_LINE_BYTES, OutputLines


def test_lines_are_returned_when_they_are_complete() -> None:
    output = OutputLines(0.0)
    assert output.feed(b"one\r\ntw", 0.0) == ["one"]
    assert output.feed(b"o\n\n  \nth", 0.0) == ["two"]
    assert output.finish(0.0) == ["th"]
    assert output.finish(0.0) == []


def test_a_long_line_is_cut_off_and_memory_is_bounded() -> None:
    output = OutputLines(0.0)
    (line,) = output.feed(b"x" * (MAX_LINE_BYTES + 1), 0.0)
    assert line == "x" * MAX_LINE_BYTES
    for _ in range(100):
        assert output.feed(b"y" * 10_000, 0.0) == []
    assert output.feed(b"end of it\nnext\n", 0.0) == ["next"]


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert OutputLines(0.0).feed(b"a\xffb\n", 0.0) == ["a\ufffdb"]


def test_more_lines_than_the_rate_allows_are_dropped_and_counted() -> None:
    output = OutputLines(0.0)
    assert len(output.feed(b"a\n" * (int(LINE_BURST) + 7), 0.0)) == LINE_BURST
    assert output.dropped == 7
    assert len(output.feed(b"a\n" * 1000, 2.0)) == 2 * LINES_PER_SECOND


@given(st.lists(st.sampled_from(["a", "bc", "ä", "a longer line"]), max_size=20), st.data())
def test_any_division_of_the_output_gives_the_same_lines(lines: list[str], data: st.DataObject) -> None:
    text = "".join(line + "\n" for line in lines).encode()
    output, found, at = OutputLines(0.0), [], 0
    while at < len(text):
        size = data.draw(st.integers(1, len(text) - at))
        found += output.feed(text[at : at + size], 0.0)
        at += size
    assert found == lines
