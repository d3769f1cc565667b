import pytest

from pixelfleet.service.errors import UsageError, warn


def test_a_warning_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    warn("--old-option is gone")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "pixelfleet: warning: --old-option is gone\n")


def test_a_usage_error_is_its_text() -> None:
    assert str(UsageError("--port 80: not allowed")) == "--port 80: not allowed"
