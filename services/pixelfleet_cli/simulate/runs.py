"""Makes the runs of a plan, and the report of them. No I/O."""

from collections.abc import Callable
from typing import Final

from pixelfleet.capacity.arrivals import Players, TooManyPlayersError, players
from pixelfleet.capacity.durations import parsed
from pixelfleet.capacity.outcome import Outcome
from pixelfleet.capacity.search import smallest
from pixelfleet.capacity.simulation import Simulation
from pixelfleet.service.catalogue import catalogue
from pixelfleet.service.errors import UsageError
from pixelfleet_cli.simulate.manifests import component_of, values_of
from pixelfleet_cli.simulate.plan import Plan
from pixelfleet_cli.simulate.report import Report, Run, bands_of, hours_of, run_of, timeline_of, wait_causes_of
from pixelfleet_cli.simulate.settings import Settings

OnProgress = Callable[[int, float], None]
"""Gets the number of the run that is under way, and the part of it that is done, from 0 to 1."""

OUTPUT: Final = frozenset({"output", "html", "config", "log_level", "log_format", "host"})
"""Settings that have no effect on the results."""


class Runs:
    """The runs that were made; only the outcome that a report would describe is kept whole."""

    def __init__(self, plan: Plan, progress: OnProgress) -> None:
        """Draw the players; raise UsageError if there are too many."""
        self._plan, self._progress = plan, progress
        self._players = _players(plan)
        self.made: list[Run] = []
        self.best: tuple[Run, Outcome] | None = None
        """The smallest number that meets the target, or the run that comes closest to it."""

    def meets(self, number: int) -> bool:
        """Make a run; return whether it meets the target."""
        simulation = Simulation(self._plan.scenario(number), self._players)
        outcome = simulation.run(lambda part: self._progress(number, part))
        run = run_of(self._plan, number, outcome)
        self.made.append(run)
        if self.best is None or _better(run, self.best[0]):
            self.best = run, outcome
        return run.meets_target


def report_of(plan: Plan, progress: OnProgress) -> Report:
    """Make the runs of a plan and return their report; raise UsageError."""
    runs = Runs(plan, progress)
    if plan.searches:
        answer = smallest(runs.meets, *plan.numbers)
    else:
        answer = plan.numbers[0] if runs.meets(plan.numbers[0]) else None
    assert runs.best is not None
    run, outcome = runs.best
    settings = plan.settings
    values = values_of(plan, run.number, run.most_streams)
    return Report(
        days=settings.days,
        target_percent=settings.target_percent,
        target_seconds=settings.target_seconds,
        varied=plan.varied,
        answer=answer,
        chosen=run.number,
        runs=sorted(runs.made, key=lambda each: each.number),
        wait_causes=wait_causes_of(plan, outcome),
        bands=bands_of(outcome, settings.target_seconds),
        hours=hours_of(outcome, settings.target_seconds),
        timeline=timeline_of(outcome),
        settings=_shown(settings),
        component=component_of(values),
        values=values,
    )


def _players(plan: Plan) -> Players:
    settings = plan.settings
    lengths, patience = parsed(settings.session), parsed(settings.patience)
    try:
        return players(plan.source, plan.seconds, lengths, patience, settings.seed)
    except TooManyPlayersError as error:
        raise UsageError(f"--days {settings.days:g}: {error}; use fewer days or lower rates") from None


def _better(run: Run, other: Run) -> bool:
    if run.meets_target != other.meets_target:
        return run.meets_target
    if run.meets_target:
        return run.number < other.number
    # Of two runs that miss the target equally, the smaller one: more of that number does not help.
    return (run.in_time_percent, -run.number) > (other.in_time_percent, -other.number)


def _shown(settings: Settings) -> dict[str, str]:
    """Return the options with their values, the defaults included, except those that are not set."""
    shown = {}
    for name, setting in catalogue(type(settings)).items():
        value = getattr(settings, name)
        if name not in OUTPUT and value is not None:
            shown[setting.option] = ",".join(f"{each:g}" for each in value) if isinstance(value, list) else str(value)
    return shown
