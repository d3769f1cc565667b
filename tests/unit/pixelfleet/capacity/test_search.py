"""The search for the smallest number that meets a target."""

from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.capacity.search import smallest


@given(st.integers(0, 5), st.integers(0, 3000), st.integers(0, 3000))
def test_the_smallest_number_is_found_with_few_runs(first: int, size: int, needed: int) -> None:
    runs: list[int] = []

    def meets(number: int) -> bool:
        runs.append(number)
        return number >= needed

    last = first + size
    assert smallest(meets, first, last) == (max(first, needed) if needed <= last else None)
    assert len(runs) == len(set(runs)) <= 25
    assert all(first <= number <= last for number in runs)
