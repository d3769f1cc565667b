"""The output of the doctor: a line for each check with its findings below, or JSON."""

import textwrap
from collections.abc import Sequence
from typing import Annotated, Final, TextIO

import msgspec
from msgspec import Meta
from rich.console import Console
from rich.text import Text

from pixelfleet.service.help import terminal_width
from pixelfleet_cli.doctor.findings.model import Finding, Result, Severity, exit_code, warnings_and_errors

MARKS: Final = {Severity.OK: "✓", Severity.NOTE: "-", Severity.WARNING: "!", Severity.ERROR: "✗"}
ASCII_MARKS: Final = {Severity.OK: "+", Severity.NOTE: "-", Severity.WARNING: "!", Severity.ERROR: "x"}
"""For an output that cannot encode MARKS."""

STYLES: Final = {
    Severity.OK: "green",
    Severity.NOTE: "dim",
    Severity.WARNING: "bold yellow",
    Severity.ERROR: "bold red",
}
NAMES: Final = {Severity.OK: "ok", Severity.NOTE: "note", Severity.WARNING: "warning", Severity.ERROR: "error"}

CHECK_WIDTH: Final = 13
MARGIN: Final = " " * (4 + CHECK_WIDTH)


class JsonFinding(msgspec.Struct, frozen=True, rename="camel"):
    """A finding in JSON."""

    name: str
    severity: Annotated[str, Meta(description="`warning` or `error`")]
    meaning: str
    cause: str
    next_step: str


class JsonCheck(msgspec.Struct, frozen=True):
    """A check in JSON."""

    name: str
    severity: Annotated[str, Meta(description="`ok`, `note` (not checked), `warning` or `error`")]
    summary: str
    findings: list[JsonFinding]


class JsonReport(msgspec.Struct, frozen=True, rename="camel"):
    """The whole report in JSON."""

    url: str
    exit_code: int
    checks: list[JsonCheck]


class Screen:
    """Prints results as they come, with colours on a terminal only."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, width=terminal_width(), highlight=False, markup=False, emoji=False)
        self._blocked: list[Result] = []
        self._marks = MARKS if _encodes(stream, "".join(MARKS.values())) else ASCII_MARKS

    def begin(self, shown: str, redirected: str) -> None:
        """Print the URL; `redirected` is the one to which it leads, or empty."""
        self._console.print(Text(shown, style="bold"), soft_wrap=True)
        if redirected:
            self._console.print(Text(f"leads to {redirected}"), soft_wrap=True)
        self._console.print()

    def show(self, result: Result) -> None:
        """Print a result and the findings below it; checks that are blocked are named together at the end."""
        if result.blocked_by:
            self._blocked.append(result)
            return
        mark, style = self._marks[result.severity], "" if result.done else "dim"
        first, *rest = self._wrapped(result.summary)
        self._print(("  ", ""), (mark, STYLES[result.severity]), (f" {result.check:<{CHECK_WIDTH}}{first}", style))
        for line in rest:
            self._print((f"{MARGIN}{line}", style))
        for finding in result.findings:
            self._finding(finding)

    def _finding(self, finding: Finding) -> None:
        kind = finding.kind
        for label, text, style in (
            (f"{kind.name}: ", kind.meaning, STYLES[kind.severity]),
            ("", finding.cause, "dim"),
            ("Next: ", kind.next_step, "bold"),
        ):
            first, *rest = self._wrapped(f"{label}{text}")
            if label:
                self._print((MARGIN, ""), (label, style), (first.removeprefix(label.rstrip()).lstrip(), ""))
            else:
                self._print((f"{MARGIN}{first}", style))
            for line in rest:
                self._print((f"{MARGIN}{line}", "" if label else style))

    def end(self, results: Sequence[Result]) -> None:
        """Print the number of errors and warnings."""
        if self._blocked:
            names = ", ".join(result.check for result in self._blocked)
            for number, line in enumerate(self._wrapped(f"{names} ({self._blocked[0].blocked_by} failed)")):
                label = f"  {self._marks[Severity.NOTE]} {'not checked':<{CHECK_WIDTH}}" if not number else MARGIN
                self._print((f"{label}{line}", "dim"))
        found = list(warnings_and_errors(results))
        errors = sum(finding.kind.severity is Severity.ERROR for finding in found)
        counts = [_count(errors, "error"), _count(len(found) - errors, "warning")]
        text = ", ".join(filter(None, counts)) or "No errors and no warnings."
        worst = max((result.severity for result in results), default=Severity.OK)
        self._console.print()
        self._print((text, STYLES[worst if found else Severity.OK]))

    def _wrapped(self, text: str) -> list[str]:
        width = self._console.width - len(MARGIN)
        return textwrap.wrap(text, width, break_on_hyphens=False) or [""]

    def _print(self, *parts: tuple[str, str]) -> None:
        self._console.print(Text.assemble(*parts), soft_wrap=True)


def as_json(shown: str, results: Sequence[Result]) -> str:
    """Return the report as JSON, with a line end."""
    checks = [
        JsonCheck(
            result.check,
            NAMES[result.severity],
            result.summary,
            [
                JsonFinding(
                    finding.kind.name,
                    NAMES[finding.kind.severity],
                    finding.kind.meaning,
                    finding.cause,
                    finding.kind.next_step,
                )
                for finding in result.findings
            ],
        )
        for result in results
    ]
    report = JsonReport(shown, exit_code(results), checks)
    return msgspec.json.format(msgspec.json.encode(report)).decode() + "\n"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}" if number else ""


def _encodes(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
