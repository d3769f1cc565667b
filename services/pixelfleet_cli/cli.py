"""The command line: `pixelfleet <command> [options]`."""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pixelfleet.service import logs
from pixelfleet.service.errors import UsageError
from pixelfleet.service.lifecycle import run, serve
from pixelfleet.service.metrics import VERSION
from pixelfleet.service.settings import load

EXIT_USAGE: Final = 2


@dataclass(frozen=True, slots=True)
class Command:
    """A command, as a rule one that runs a service: its package has `settings.Settings` and `app.running`."""

    package: str
    summary: str
    extra: str = ""
    """The optional dependencies that it needs."""
    once: bool = False
    """It does one thing and ends: its package has `app.main`, which returns the exit code, and no `app.running`."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A command that does its work and ends: its module has `main(arguments)`, which returns the exit code."""

    module: str
    summary: str


COMMANDS: Final[dict[str, Command | Tool]] = {
    "demo": Command(
        "pixelfleet_cli.demo", "everything in one process, with a test picture: the quickest look", "streamer"
    ),
    "signalserver": Command("signalserver", "introduces the players of one pod to its streamers"),
    "matchmaker": Command("matchmaker", "queues players and matches each to a free streamer"),
    "router": Command("router", "the public door: the player page, and the way to a matchmaker"),
    "turn-api": Command("turnapi", "hands out TURN servers, with credentials that expire"),
    "turn-check": Command("turnapi.check", "tells which TURN servers work from here", once=True),
    "configure": Command("pixelfleet_cli.configure", "writes the Kubernetes manifests of an installation", once=True),
    "streamer": Command("teststreamer", "a streamer with a test picture, in an application's place", "streamer"),
    "fleet": Tool("pixelfleet_cli.fleet.command", "shows a fleet, drains streamers and ends sessions"),
    "link": Tool("pixelfleet_cli.link", "signs a link that lets its holder in, for a time or once"),
}

WITH_SETTINGS: Final[dict[str, Command]] = {n: c for n, c in COMMANDS.items() if isinstance(c, Command)}
"""The commands whose options are a settings class."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code: 0 after an orderly end, 2 when it cannot run as asked."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else EXIT_USAGE
    if arguments[0] == "--version":
        print(f"pixelfleet {VERSION}")
        return 0
    try:
        return _run(arguments[0], arguments[1:])
    except UsageError as error:
        print(f"pixelfleet: {error}", file=sys.stderr)
    except BaseExceptionGroup as errors:
        # A service that starts inside a task group reports its error in a group.
        usage_errors = errors.subgroup(UsageError)
        if usage_errors is None:
            raise
        print(f"pixelfleet: {_first(usage_errors)}", file=sys.stderr)
    return EXIT_USAGE


def usage() -> str:
    """Return the list of commands."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: pixelfleet COMMAND [options]",
            "",
            *lines,
            "",
            "`pixelfleet COMMAND --help` tells a command's options.",
        ]
    )


def _run(name: str, options: list[str]) -> int:
    command = COMMANDS.get(name)
    if command is None:
        raise UsageError(f"unknown command {name!r}; `pixelfleet --help` lists them")
    if isinstance(command, Tool):
        return int(importlib.import_module(command.module).main(options))
    try:
        settings_class = importlib.import_module(f"{command.package}.settings").Settings
        app = importlib.import_module(f"{command.package}.app")
    except ModuleNotFoundError as error:
        if not command.extra or (error.name or "").startswith(command.package):
            raise
        raise UsageError(
            f"{name} needs the package {error.name}; install it with `pip install 'pixelfleet[{command.extra}]'`"
        ) from None
    settings = load(settings_class, options)
    logs.configure(settings.log_level, settings.log_format)
    return run(app.main(settings) if command.once else serve(app.running(settings)))


def _first(errors: BaseExceptionGroup[UsageError]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    sys.exit(main())
