"""The command line, in this process and as a program."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import types
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from pixelfleet.service import logs
from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import ServiceSettings
from pixelfleet.service.version import VERSION
from pixelfleet_cli.cli import COMMANDS, EXIT_USAGE, Command, main, usage
from tests.parts import PATIENCE_SECONDS, free_port, program

# -- in this process --------------------------------------------------------------------------------


class Settings(ServiceSettings):
    """Settings without fields of their own."""

    command: ClassVar[str] = "madeup"


class MadeUp:
    """A command with a fake service."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: BaseException | None = None
        self.entered = 0
        self.left = 0
        settings, app = types.ModuleType("madeup.settings"), types.ModuleType("madeup.app")
        settings.Settings = Settings  # type: ignore[attr-defined]  # an attribute of a service's module
        app.running = self.running  # type: ignore[attr-defined]  # the same
        monkeypatch.setitem(sys.modules, "madeup", types.ModuleType("madeup"))
        monkeypatch.setitem(sys.modules, "madeup.settings", settings)
        monkeypatch.setitem(sys.modules, "madeup.app", app)
        monkeypatch.setitem(COMMANDS, "madeup", Command("madeup", "made up", "Services"))
        monkeypatch.setattr(logs, "configure", lambda *_: None)

    @contextlib.asynccontextmanager
    async def running(self, _: Settings) -> AsyncIterator[None]:
        self.entered += 1
        if self.error is not None:
            raise self.error
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        yield
        self.left += 1


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    return MadeUp(monkeypatch)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for argument in ("-h", "--help", "help"):
        assert main([argument]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        for name, command in COMMANDS.items():
            assert f"  {name} " in printed.out
            assert command.summary in printed.out
            assert f"\n{command.group}:\n" in printed.out
        assert max(map(len, printed.out.splitlines())) <= 80


def test_a_missing_command_is_an_error_and_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == EXIT_USAGE == 2
    assert capsys.readouterr().out == usage() + "\n"


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"pixelfleet {VERSION}\n"


@pytest.mark.parametrize("name", ["nonsense", "", "--port", "demo ", "Demo", "__init__", "two\nlines"])
def test_an_unknown_command_is_named_in_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == EXIT_USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert repr(name) in printed.err


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("singalserver", "signalserver"),
        ("Demo", "demo"),
        ("ROUTER", "router"),
        ("--demo", "demo"),
        ("turn_api", "turn-api"),
    ],
)
def test_a_similar_command_is_suggested(name: str, suggestion: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == EXIT_USAGE
    assert f"(did you mean {suggestion!r}?)" in capsys.readouterr().err


def test_a_service_runs_until_a_signal(made_up: MadeUp, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["madeup"]) == 0
    assert (made_up.entered, made_up.left) == (1, 1)
    assert capsys.readouterr().err == ""


def test_a_command_that_is_no_service_returns_its_exit_code(made_up: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    async def once(_: Settings) -> int:
        return 7

    monkeypatch.setattr(sys.modules["madeup.app"], "main", once, raising=False)
    monkeypatch.setitem(COMMANDS, "madeup", Command("madeup", "made up", "Services", once=True))
    assert main(["madeup"]) == 7
    assert made_up.entered == 0


@pytest.mark.parametrize(
    "error",
    [
        UsageError("--port 80: the port is taken"),
        ExceptionGroup("g", [UsageError("--port 80: the port is taken")]),
        ExceptionGroup("g", [ValueError("x"), ExceptionGroup("h", [UsageError("--port 80: the port is taken")])]),
    ],
    ids=["plain", "in a group", "in a group of groups"],
)
def test_a_usage_error_of_a_service_is_one_line(
    made_up: MadeUp, error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up.error = error
    assert main(["madeup"]) == EXIT_USAGE
    assert capsys.readouterr().err == "pixelfleet: --port 80: the port is taken\n"


def test_other_errors_of_a_service_propagate(made_up: MadeUp) -> None:
    made_up.error = ValueError("a bug")
    with pytest.raises(ValueError, match="a bug"):
        main(["madeup"])
    made_up.error = ExceptionGroup("g", [ValueError("a bug")])
    with pytest.RaisesGroup(pytest.RaisesExc(ValueError, match="a bug")):
        main(["madeup"])


@pytest.mark.parametrize("broken", ["settings", "app"])
def test_a_missing_extra_is_named_with_its_installation(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = f"needs_more_in_{broken}"
    (tmp_path / package).mkdir()
    for name in ("__init__", "settings", "app"):
        settings = "from pixelfleet.service.settings import ServiceSettings as Settings"
        text = "import no_such_library" if name == broken else settings
        (tmp_path / package / f"{name}.py").write_text(text + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(COMMANDS, "madeup", Command(package, "made up", "Services", extra="streamer"))
    assert main(["madeup"]) == EXIT_USAGE
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no_such_library" in error
    assert "pip install 'pixelfleet[streamer]'" in error


def test_a_missing_package_without_an_extra_propagates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "madeup", Command("no_such_package", "made up", "Services"))
    with pytest.raises(ModuleNotFoundError):
        main(["madeup"])


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"demo", "streamer"}))
def test_every_command_has_settings_and_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"pixelfleet {command}" in capsys.readouterr().out


# -- as a program -----------------------------------------------------------------------------------


async def outcome(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int | None, str, str]:
    """Run a command that terminates; return its exit code, stdout and stderr."""
    env = {**os.environ, **(environment or {})}
    async with (
        program(sys.executable, "-m", "pixelfleet_cli.cli", *arguments, env=env) as process,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def refused(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a command with a usage error; return the error."""
    code, out, err = await outcome(*arguments, environment=environment)
    assert (code, out) == (EXIT_USAGE, "")
    assert err.startswith("pixelfleet: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1, err
    return err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nonsense"], "'nonsense'"),
        (["matchmaker", "--no-such-option"], "--no-such-option"),
        (["router", "--port", "many"], "--port: "),
        (["matchmaker", "--host", "a..b", "--port", "0", "--legacy-port", "0"], "--host a..b"),
        (["router", "--page", "no/such/folder", "--port", "0"], "--page no/such/folder"),
    ],
    ids=str,
)
async def test_an_invalid_argument_is_named_in_one_line(arguments: list[str], named: str) -> None:
    assert named in await refused(*arguments)


@pytest.mark.parametrize("option", ["--port", "--metrics-port"])
async def test_a_taken_port_is_named_in_one_line(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = {"--port": "0", "--metrics-port": "0", "--legacy-port": "0"} | {option: port}
        error = await refused("matchmaker", "--host", "127.0.0.1", *[word for pair in ports.items() for word in pair])
    assert f"{option} {port}: the port is taken" in error


async def test_errors_of_all_sources_are_named_without_secrets(tmp_path: Path) -> None:
    config = tmp_path / "matchmaker.json"
    config.write_text('{"port": "from the file", "max_queue": "from the file", "session_key": ["t0psecret"]}')
    environment = {"PIXELFLEET_MATCHMAKER_MAX_QUEUE": "from the environment", "PIXELFLEET_MATCHMAKER_APP": "x"}
    error = await refused("matchmaker", "--config", str(config), "--app", "", environment=environment)
    assert "--port: " in error
    assert "(got 'from the file')" in error
    assert "(got 'from the environment')" in error
    assert "--app: " in error
    assert "--session-key: " in error
    assert "t0psecret" not in error


async def test_a_service_listens_and_stops_on_a_signal() -> None:
    port = free_port()
    arguments = ("matchmaker", "--host", "127.0.0.1", "--port", str(port), "--metrics-port", "0", "--legacy-port", "0")
    started = program(sys.executable, "-m", "pixelfleet_cli.cli", *arguments, "--log-format", "json")
    async with started as process, asyncio.timeout(PATIENCE_SECONDS):
        assert process.stderr is not None
        assert b'"matchmaker listens"' in await process.stderr.readline()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        process.send_signal(signal.SIGTERM)
        rest = await process.stderr.read()
        assert await process.wait() == 0
    assert b"Traceback" not in rest
