from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.service.backoff import DEFAULT_BACKOFF, Backoff

BACKOFFS = st.builds(lambda first, factor: Backoff(first, first * factor), st.floats(0.01, 10), st.floats(1, 1000))


@given(backoff=BACKOFFS, failures=st.integers(1, 10**9), chance=st.floats(0, 1))
def test_delays_grow_with_failures_up_to_a_bound(backoff: Backoff, failures: int, chance: float) -> None:
    delay = backoff.delay(failures, chance)
    assert backoff.first / 2 <= delay <= backoff.longest
    assert delay <= backoff.delay(failures + 1, chance)
    assert backoff.delay(failures, 0.0) == backoff.delay(failures) / 2


def test_each_failure_in_a_row_doubles_the_delay() -> None:
    assert [DEFAULT_BACKOFF.delay(failures) for failures in range(8)] == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
