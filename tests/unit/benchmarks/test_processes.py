"""How a benchmark finds the ports of the programs that it started."""

import pytest

from benchmarks.processes import StartError, numbers_of, start_python


def test_ports_are_found_among_other_lines() -> None:
    assert numbers_of(b'{"event": "router listens", "port": 8080, "players": 4000}\n') == {
        "port": 8080,
        "players": 4000,
    }
    assert numbers_of(b"text") == numbers_of(b'["port"]') == numbers_of(b'{"port": "8080"}') == {}


async def test_a_program_that_exits_is_an_error_with_its_last_lines() -> None:
    with pytest.raises(StartError) as failed:
        await start_python("pixelfleet_cli.cli", "--no-such-option", fact="port")
    assert "pixelfleet_cli.cli did not start:" in str(failed.value)
    assert "no-such-option" in str(failed.value)
