"""Findings and the results of checks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad a finding is; the values are in the order of badness."""

    OK = 0
    NOTE = 1
    """Not a fault: the check could not be made, or was not requested."""
    WARNING = 2
    ERROR = 3
    """Players cannot play, or are interrupted."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding; its name is stable, for scripts and runbooks."""

    name: str
    severity: Severity
    meaning: str
    """A sentence for the reference."""
    next_step: str
    """A sentence with the remedy, or with the check that finds it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A kind that was found, and what was observed."""

    kind: Kind
    cause: str
    """What was observed, in one line that can be printed on a terminal."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one check."""

    check: str
    summary: str
    """What the check has seen, in a few words that can be printed on a terminal."""
    findings: tuple[Finding, ...] = ()
    done: bool = True
    """Whether the check was made."""
    blocked_by: str = ""
    """The failed check without which this one is pointless; empty if there is none."""

    @property
    def severity(self) -> Severity:
        """The severity of the worst finding."""
        least = Severity.OK if self.done else Severity.NOTE
        return max([finding.kind.severity for finding in self.findings], default=least)


def not_done(check: str, why: str) -> Result:
    """Return the result of a check that was not made."""
    return Result(check, why, done=False)


def exit_code(results: Iterable[Result]) -> int:
    """Return 0 without warnings, 1 for a warning, 2 for an error."""
    worst = max((result.severity for result in results), default=Severity.OK)
    return {Severity.WARNING: 1, Severity.ERROR: 2}.get(worst, 0)


def warnings_and_errors(results: Iterable[Result]) -> Iterator[Finding]:
    """Yield the findings that need a next step."""
    for result in results:
        yield from (finding for finding in result.findings if finding.kind.severity >= Severity.WARNING)
