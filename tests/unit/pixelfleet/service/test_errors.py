import pytest

from pixelfleet.service.errors import UsageError, tell


def test_a_warning_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    tell("--old-option is gone")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "pixelfleet: warning: --old-option is gone\n")


def test_a_usage_error_is_its_text() -> None:
    assert str(UsageError("--port 80: not allowed")) == "--port 80: not allowed"
