"""The outcomes of scenarios on a terminal, and in docs/evidence/chaos.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from tests.chaos.checks import CHECKS
from tests.chaos.scenarios import NO_FAULTS
from tests.documents import ROOT

PAGE: Final = ROOT / "docs" / "evidence" / "chaos.md"
SHOWN: Final = 8
"""Violations and log lines of one run that are shown."""

MUTANT_SCENARIOS: Final = {
    "match-without-reservation": NO_FAULTS,
    "lost-release": NO_FAULTS,
    "skipped-replay": NO_FAULTS,
    "repeated-replay": NO_FAULTS,
    "forgotten-expiry": NO_FAULTS,
}
"""The scenario in which each mutant must be found."""


@dataclass(frozen=True)
class Outcome:
    """What one run of a scenario has shown."""

    name: str
    faults: str
    violations: Mapping[str, int]
    """The number of violations of each check; none is left out with 0."""
    texts: Sequence[str]
    messages: int
    players: int
    resumed: int
    most: int
    """The highest number of players that a streamer had at once."""
    ends: Mapping[int, int]
    """The codes with which players ended for good, with their number."""
    errors: Sequence[str]
    """Lines of level error in the logs; a fault may be worth one."""


def show(console: Console, outcome: Outcome, seed: int, mutant: str) -> None:
    """Show one run; after a violation also how to repeat it."""
    name = f"{outcome.name} ({mutant})" if mutant else outcome.name
    verdict = ", ".join(f"{count} x {check}" for check, count in outcome.violations.items()) or "ok"
    facts = f"{outcome.players} players, {outcome.resumed} returns, {outcome.messages} messages"
    console.print(f"{name:32} {verdict}  ({facts}, ends {dict(outcome.ends)}, {len(outcome.errors)} errors logged)")
    for text in outcome.texts[:SHOWN]:
        console.print(f"    {text}")
    if outcome.violations and not mutant:
        for line in outcome.errors[:SHOWN]:
            console.print(f"    log: {line[:300]}")
        console.print(f"    again: make chaos ARGS='--seed {seed} --scenario \"{outcome.name}\"'")


def document(outcomes: Sequence[Outcome], mutants: Mapping[str, Outcome], runs: int) -> None:
    """Write the page."""
    names = list(dict.fromkeys(each.name for each in outcomes))
    rows = [_row(name, [each for each in outcomes if each.name == name]) for name in names]
    caught = [
        f"| `{name}` | {', '.join(each.violations) or 'none: it was not found'} | {sum(each.violations.values())} |"
        for name, each in mutants.items()
    ]
    checks = "\n".join(f"- **{name}**: {text}" for name, text in CHECKS.items())
    text = TEXT.format(runs=runs, checks=checks, rows="\n".join(rows), mutants="\n".join(caught) or "| not run | | |")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")


def _row(name: str, runs: Sequence[Outcome]) -> str:
    violations = sum(sum(each.violations.values()) for each in runs)
    counts = [
        f"{sum(values):,}"
        for values in zip(*((each.players, each.resumed, each.messages) for each in runs), strict=True)
    ]
    return f"| {name} | {runs[0].faults} | {' | '.join(counts)} | {violations} |"


TEXT: Final = """\
<!-- Written by `make chaos`. -->
# Faults

`make chaos` runs a fleet of real services with a fault proxy between any two of its parts: two routers, two
matchmakers, three signalling servers with two streamers each, and redis-server, each in a process of its own. Streamers
have two slots and no media. There are more players than slots. Players lose their connections and return with their
tokens, leave, are lost, and are replaced by others all the time. Player and streamer exchange numbered messages.

Sessions and places are kept for 6 s, pings are sent every 2 s, and the limits of one address are off. All other
settings are the defaults. Runs of each scenario, with different seeds: {runs}.

A run with a violation prints its seed, and `make chaos ARGS="--seed N --scenario NAME"` makes the same choices again.
The order of events in the processes is not repeated.

The checks observe from outside, all the time:

{checks}

| Scenario | Faults | Players | Returns | Messages | Violations |
|---|---|---|---|---|---|
{rows}

`tests/chaos/test_crashes.py` and `tests/chaos/test_signalservers.py`, which `make chaos` runs first, do the same to
matchmakers with forty simulated servers, native and legacy, and hundreds of players.

**Not covered.** Redis Cluster is not supported: services refuse to use it. The clock of redis-server is not changed.
Routers have no connection to Redis here; they use it for single-use links only.

**Late messages.** A request that arrives at a signalling server after its router has given it up occupies a slot until
`--resume-seconds` are over: the server cannot distinguish it from a player whose connection was lost. A report that was
held back on its way to Redis is stored as it is; a player that is matched by it is refused by the server, and gets
another streamer. In the scenarios with such delays these refusals are no violation.

## Builds with a bug

Each of these builds has one bug (`tests/chaos/altered.py`) and must be found by the checks, in the scenario without
faults.

| Bug | Found by | Violations |
|---|---|---|
{mutants}
"""
