import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet.protocol import close_codes
from pixelfleet.protocol.close_codes import CloseCode, Retry, catalogue, label_of, retry_of

CODES = {each.code: each for each in catalogue()}


@pytest.mark.parametrize("close", catalogue(), ids=lambda close: close.label)
def test_a_code_can_be_sent_with_its_reason(close: CloseCode) -> None:
    assert close.code in {1000, 1002, 1009, 1011} or 4000 <= close.code <= 4399
    assert 0 < len(close.reason.encode()) <= 123
    assert label_of(close.code) == close.label


def test_labels_and_codes_are_distinct() -> None:
    assert len({close.label for close in catalogue()}) == len(CODES) == len(catalogue())


def test_going_away_is_never_sent() -> None:
    assert 1001 not in CODES


@pytest.mark.parametrize(
    ("close", "code", "retry"),
    [
        (close_codes.NORMAL, 1000, Retry.NEVER),
        (close_codes.MESSAGE_TOO_BIG, 1009, Retry.NEVER),
        (close_codes.DISCONNECTED_BY_STREAMER, 1011, Retry.NEVER),
        (close_codes.STREAMER_LEFT, 4000, Retry.AT_ONCE),
        (close_codes.PONG_TIMEOUT, 4002, Retry.AT_ONCE),
        (close_codes.RESTARTING, 4005, Retry.AT_ONCE),
        (close_codes.RATE_LIMITED, 4104, Retry.LATER),
        (close_codes.SERVICE_UNAVAILABLE, 4105, Retry.LATER),
        (close_codes.KICKED, 4201, Retry.NEVER),
        (close_codes.BAD_MESSAGES, 4203, Retry.NEVER),
    ],
)
def test_a_code_determines_whether_a_client_reconnects(close: CloseCode, code: int, retry: Retry) -> None:
    assert close.code == code
    assert close.retry is retry


@given(st.integers(0, 65535))
def test_the_range_decides(code: int) -> None:
    retry = retry_of(code)
    if 4000 <= code < 4100:
        assert retry is Retry.AT_ONCE
    elif 4100 <= code < 4200 or code == 1013:
        assert retry is Retry.LATER
    elif 4200 <= code < 4300:
        assert retry is Retry.NEVER
    elif code in (1001, close_codes.NO_STATUS, close_codes.ABNORMAL):
        assert retry is Retry.AT_ONCE


@given(st.integers())
def test_the_set_of_labels_is_fixed(code: int) -> None:
    known = {close.label for close in catalogue()}
    assert label_of(code) in known | {"going_away", "no_status", "abnormal", "other"}


@pytest.mark.parametrize(("code", "label"), [(1001, "going_away"), (1005, "no_status"), (1006, "abnormal")])
def test_codes_that_are_only_received_have_labels(code: int, label: str) -> None:
    assert label_of(code) == label
