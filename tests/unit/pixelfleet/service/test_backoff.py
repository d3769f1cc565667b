from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.service.backoff import LONGEST_RETRY_SECONDS, retry_delay


@given(failures=st.integers(1, 10**9), chance=st.floats(0, 1))
def test_retries_wait_longer_each_time_up_to_a_bound(failures: int, chance: float) -> None:
    delay = retry_delay(failures, chance)
    assert 0.5 <= delay <= LONGEST_RETRY_SECONDS
    assert delay <= retry_delay(failures + 1, chance)
    assert retry_delay(failures, 0.0) == retry_delay(failures, 1.0) / 2
