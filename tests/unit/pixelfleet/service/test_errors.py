import errno
import io
import sys

import pytest

from pixelfleet.service.errors import UsageError, warn


def test_a_warning_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    warn("--old-option is gone")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "pixelfleet: warning: --old-option is gone\n")


def test_a_warning_on_a_full_device_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    warn("--old-option is gone")


def test_a_warning_without_stderr_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    warn("--old-option is gone")
    assert capsys.readouterr().out == ""


def test_a_usage_error_is_its_text() -> None:
    assert str(UsageError("--port 80: not allowed")) == "--port 80: not allowed"
