"""The check of written headers."""

import pytest

from pixelfleet.net.header_values import check_headers


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\rb", "a\0b", "a\x7fb", "\x1b[2J", "a\n"])
def test_a_value_with_control_characters_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(ValueError, match="the header X-Name has control characters") as refused:
        check_headers({"X-Other": "fine", "X-Name": value})
    assert value not in str(refused.value)


@pytest.mark.parametrize("value", ["", "Bearer abc.def-_~+/=", 'Basic realm="x"', "tab\tand space", "größe"])
def test_other_values_are_allowed(value: str) -> None:
    check_headers({"X-Name": value})
