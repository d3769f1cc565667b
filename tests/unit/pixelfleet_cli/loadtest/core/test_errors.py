from pixelfleet.protocol.close_codes import catalogue
from pixelfleet_cli.loadtest.core import errors


def test_closes_and_refusals_have_short_codes() -> None:
    assert errors.of_close(4103) == "close 4103 queue_timeout"
    assert errors.of_close(3999) == "close 3999"
    assert errors.of_dial(429, "HTTP 429") == "HTTP 429"
    assert errors.of_dial(0, "no answer in time") == errors.NO_TIME
    assert errors.of_dial(0, "Connect call failed ('10.0.0.1', 80)") == errors.UNREACHABLE


def test_hints_are_found_by_the_beginning_of_a_code() -> None:
    assert "queue" in errors.hint_of("close 4103 queue_timeout")
    assert errors.hint_of("close 3999") == ""


def test_every_hint_of_a_close_is_of_a_known_code() -> None:
    known = {each.code for each in catalogue()} | {4007}
    named = {int(code.split()[1]) for code in errors.HINTS if code.startswith("close ")}
    assert named <= known
