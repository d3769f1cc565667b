import os
from pathlib import Path

import pytest

from pixelfleet_cli.loadtest.watch import name_of, processes, reading


def add(proc: Path, pid: int, *words: str) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    (folder / "stat").write_text(f"{pid} (a) b) S " + " ".join(str(number) for number in range(1, 40)))
    (folder / "statm").write_text("900 25 1 1 0 1 0")


def test_services_and_their_companions_are_found(tmp_path: Path) -> None:
    add(tmp_path, 7, "/usr/bin/python3", "/opt/bin/pixelfleet", "router", "--port", "80")
    add(tmp_path, 8, "python", "-m", "pixelfleet_cli.cli", "matchmaker")
    add(tmp_path, 9, "/usr/bin/redis-server", "*:6379")
    add(tmp_path, 10, "nginx: worker process")
    add(tmp_path, 11, "/usr/bin/python3", "/opt/bin/pixelfleet", "loadtest")
    add(tmp_path, 12, "vim", "router")
    (tmp_path / "self").mkdir()
    (tmp_path / "13").mkdir()
    assert processes(tmp_path) == {"router 7": 7, "matchmaker 8": 8, "redis-server 9": 9, "nginx 10": 10}


def test_a_machine_without_proc_has_none(tmp_path: Path) -> None:
    assert processes(tmp_path / "missing") == {}


@pytest.mark.parametrize("words", [[""], ["pixelfleet"], ["a", "b"]])
def test_other_command_lines_have_no_name(words: list[str]) -> None:
    assert name_of(words) == ""


def test_cpu_time_and_memory_are_read(tmp_path: Path) -> None:
    add(tmp_path, 7, "x")
    assert reading(tmp_path, 7) == ((11 + 12) / os.sysconf("SC_CLK_TCK"), 25 * os.sysconf("SC_PAGE_SIZE"))
    assert reading(tmp_path, 8) is None
