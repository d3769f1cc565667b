"""Values in logs and errors."""

import pytest

from pixelfleet.service.shown import shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host:1/a", "http://host:1/a"),
        ("http://user:s3cret@host:1/a?token=s3cret#s3cret", "http://host:1/a"),
        ("http://user:s3@cret@host", "http://host"),
        ("http://user:s3/cret@host/a", ""),
        ("s3cret", ""),
        ("http://[s3cret", ""),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_secrets(url: str, shown: str) -> None:
    assert shown_url(url) == shown
