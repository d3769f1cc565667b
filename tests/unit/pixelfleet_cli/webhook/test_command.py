"""The arguments of `pixelfleet webhook`. tests/integration runs it against receivers."""

from pathlib import Path

import pytest

from matchmaker.webhooks.core.signature import keys_of
from pixelfleet.service.errors import UsageError
from pixelfleet_cli.webhook.command import SECRET_VARIABLE, main


def test_a_new_secret_is_valid_and_random(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secret"]) == main(["secret"]) == 0
    first, second = capsys.readouterr().out.split()
    assert first != second
    assert len(keys_of(first)[0]) == 32


@pytest.mark.parametrize(
    ("arguments", "secret", "why"),
    [
        (["test"], "", "URL"),
        (["test", "http://127.0.0.1/"], "", "--secret-file"),
        (["test", "http://127.0.0.1/"], "whsec_x", "base64"),
        (["test", "ftp://127.0.0.1/"], "whsec_" + "k" * 32, "http or https"),
        (["test", "http://127.0.0.1/", "--seconds", "0"], "whsec_" + "k" * 32, "seconds"),
        (["test", "http://127.0.0.1/", "--seconds", "x"], "whsec_" + "k" * 32, "seconds"),
    ],
)
def test_usage_errors(arguments: list[str], secret: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, secret)
    with pytest.raises(UsageError, match=why):
        main(arguments)


def test_a_receiver_that_cannot_be_reached_does_not_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_text("whsec_" + "k" * 32)
    assert main(["test", "http://127.0.0.1:1/", "--secret-file", str(tmp_path / "secret"), "--admission"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["FAILED"] * 3
    assert "question" in lines[0]
