"""The common part of the benchmarks' command lines: options, errors and goals."""

import pytest

from benchmarks.command import command_line, measured, verdict
from benchmarks.processes import StartError


def test_only_options_with_a_default_are_added() -> None:
    parser = command_line("a benchmark", rounds=3, seconds=1.5)
    assert vars(parser.parse_args(["--rounds", "7"])) == {"rounds": 7, "seconds": 1.5, "check": False}


def test_a_failed_measurement_exits_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> None:
        raise StartError("no redis-server")

    with pytest.raises(SystemExit) as ended:
        measured("store", work())
    assert ended.value.code == 2
    assert capsys.readouterr().err == "benchmarks.store: no redis-server\n"


@pytest.mark.parametrize(("missed", "check", "code"), [([], True, 0), (["a"], False, 0), (["a", "b"], True, 1)])
def test_missed_goals_are_printed(
    missed: list[str], check: bool, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verdict(missed, check=check) == code
    assert capsys.readouterr().out == "".join(f"missed: {each}\n" for each in missed)
