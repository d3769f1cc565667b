import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.endings import Ending, ending_of, passed_on


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        (1000, Ending.LEFT),
        (1005, Ending.LEFT),
        (1009, Ending.LEFT),
        (4205, Ending.LEFT),
        (4999, Ending.LEFT),
        (1001, Ending.CLOSED),
        (1006, Ending.LOST),
        (1012, Ending.LOST),
        (4003, Ending.LOST),
        (4005, Ending.LOST),
        (4208, Ending.LOST),
        (4002, Ending.TIMED_OUT),
    ],
)
def test_the_ending_of_a_code(code: int, ending: Ending) -> None:
    assert ending_of(code) is ending


@given(st.integers(0, 65535))
def test_an_ending_survives_each_service_that_passes_it_on(code: int) -> None:
    first = passed_on(code)
    assert ending_of(first.code) is ending_of(code)
    assert passed_on(first.code) == first


@given(st.integers(0, 65535), st.text(max_size=200))
def test_each_code_that_is_passed_on_is_catalogued(code: int, reason: str) -> None:
    why = passed_on(code, reason)
    assert why.code in {each.code for each in close_codes.catalogue()}
    assert why.code != 1001


def test_a_code_of_the_catalogue_is_passed_on_with_its_reason() -> None:
    why = passed_on(4207, "no common video codec: H264")
    assert (why.code, why.reason) == (4207, "no common video codec: H264")
    assert passed_on(4207) == close_codes.NO_CODEC


@pytest.mark.parametrize("code", [1000, 1005, 1002, 1011, 3000, 4999])
def test_other_codes_are_passed_on_as_normal(code: int) -> None:
    assert passed_on(code, "text of a stranger") == close_codes.NORMAL
