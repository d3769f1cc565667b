"""The command line: `pixelfleet COMMAND [OPTION]...`.

Help, the version and unknown commands need only the table below. Options are validated with the settings of the
command; its application is imported after that.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NamedTuple

from pixelfleet.service.errors import UsageError, print_error

EXIT_USAGE: Final = 2


class Command(NamedTuple):
    """A command with a settings class: its package has `settings.Settings` and `app`.

    A service has `app.running`. Any other command has `app.main`, which returns the exit code.
    """

    package: str
    summary: str
    group: str
    extra: str = ""
    """The extra of the distribution with its optional dependencies."""
    once: bool = False
    """Whether the command has `app.main` in place of `app.running`."""


class Tool(NamedTuple):
    """A command with subcommands or arguments: its module has `main(arguments)`, which returns the exit code."""

    module: str
    summary: str
    group: str


SERVICES: Final = "Services"
OPERATIONS: Final = "Operations"
DEVELOPMENT: Final = "Development"

COMMANDS: Final[dict[str, Command | Tool]] = {
    "router": Command("router", "Serve the player page and forward players to matchmakers.", group=SERVICES),
    "matchmaker": Command("matchmaker", "Queue players and assign each to a free streamer.", group=SERVICES),
    "signalserver": Command("signalserver", "Connect players to the streamers of one pod.", group=SERVICES),
    "turn-api": Command("turnapi", "List TURN servers, with credentials that expire.", group=SERVICES),
    "fleet": Tool("pixelfleet_cli.fleet.command", "Show a fleet, drain streamers, and end sessions.", group=OPERATIONS),
    "link": Tool("pixelfleet_cli.link", "Sign a link that admits its holder, once or for a time.", group=OPERATIONS),
    "webhook": Tool("pixelfleet_cli.webhook.command", "Check the receiver of webhooks.", group=OPERATIONS),
    "doctor": Tool("pixelfleet_cli.doctor.command", "Check what a player's page would meet.", group=OPERATIONS),
    "turn-check": Command(
        "turnapi.check", "Check which TURN servers work from this machine.", group=OPERATIONS, once=True
    ),
    "configure": Command(
        "pixelfleet_cli.configure", "Write the Kubernetes manifests of an installation.", group=OPERATIONS, once=True
    ),
    "simulate": Command(
        "pixelfleet_cli.simulate", "Find how many GPUs and warm slots a load needs.", group=OPERATIONS, once=True
    ),
    "loadtest": Command(
        "pixelfleet_cli.loadtest", "Let players arrive at an installation, and measure.", group=OPERATIONS, once=True
    ),
    "demo": Command(
        "pixelfleet_cli.demo",
        "Run every service in one process, with a test picture.",
        group=DEVELOPMENT,
        extra="streamer",
    ),
    "streamer": Command(
        "teststreamer",
        "Stream a test picture in the place of an application.",
        group=DEVELOPMENT,
        extra="streamer",
    ),
}

WITH_SETTINGS: Final[dict[str, Command]] = {n: c for n, c in COMMANDS.items() if isinstance(c, Command)}
"""The commands with a settings class."""

EXAMPLES: Final = (
    ("pixelfleet demo", "Show a test picture at localhost:8080."),
    ("pixelfleet matchmaker --port 3000", "Start a matchmaker on port 3000."),
    ("pixelfleet fleet ls sessions", "List the sessions that are running."),
    ("pixelfleet doctor URL --join", "Check a page as a player meets it."),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code, which is 2 for a usage error."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else EXIT_USAGE
    if arguments[0] == "--version":
        print(f"pixelfleet {import_module('pixelfleet.service.version').VERSION}")
        return 0
    try:
        return _run(arguments[0], arguments[1:])
    except UsageError as error:
        print_error(str(error))
    except BaseExceptionGroup as errors:
        # A service that starts inside a task group reports its error in a group.
        usage_errors = errors.subgroup(UsageError)
        if usage_errors is None:
            raise
        print_error(str(_first(usage_errors)))
    return EXIT_USAGE


def usage() -> str:
    """Return the list of commands."""
    lines = [
        "Usage: pixelfleet COMMAND [OPTION]...",
        "",
        "Pixelfleet connects browsers to GPU applications over WebRTC.",
    ]
    for group in dict.fromkeys(command.group for command in COMMANDS.values()):
        lines += ["", f"{group}:"]
        lines += [f"  {name:<14}{command.summary}" for name, command in COMMANDS.items() if command.group == group]
    lines += ["", "Options:", "  -h, --help    Print this help.", "  --version     Print the version."]
    lines += ["", "Examples:", *(f"  {command:<34}{text}" for command, text in EXAMPLES)]
    return "\n".join([*lines, "", "`pixelfleet COMMAND --help` lists the options of a command."])


def _run(name: str, options: list[str]) -> int:
    command = COMMANDS.get(name)
    if command is None:
        raise UsageError(_unknown(name))
    if isinstance(command, Tool):
        return int(import_module(command.module).main(options))
    try:
        settings_class = import_module(f"{command.package}.settings").Settings
        settings = import_module("pixelfleet.service.settings").load(settings_class, options)
        app = import_module(f"{command.package}.app")
    except ModuleNotFoundError as error:
        if not command.extra or (error.name or "").startswith(command.package):
            raise
        raise UsageError(
            f"{name} needs the package {error.name}; install it with `pip install 'pixelfleet[{command.extra}]'`"
        ) from None
    import_module("pixelfleet.service.logs").configure(settings.log_level, settings.log_format)
    lifecycle = import_module("pixelfleet.service.lifecycle")
    return int(lifecycle.run(app.main(settings) if command.once else lifecycle.serve(app.running(settings))))


def _unknown(name: str) -> str:
    closest = import_module("pixelfleet.service.spelling").closest
    suggestion = closest(name, COMMANDS)
    hint = f" (did you mean {suggestion!r}?)" if suggestion else ""
    return f"unknown command {name[:80]!r}{hint}; see `pixelfleet --help`"


def _first(errors: BaseExceptionGroup[UsageError]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    sys.exit(main())
