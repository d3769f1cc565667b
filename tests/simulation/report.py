"""The figures of simulated and real fleets, side by side."""

from collections.abc import Sequence
from typing import Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table

from pixelfleet.capacity.outcome import Fate
from tests.documents import ROOT
from tests.simulation.scenarios import FACTOR, Case

PAGE: Final = ROOT / "docs" / "evidence" / "simulation.md"
MOST: Final = 0.15
"""The largest deviation, as a part of the real figure."""

SHORT_SECONDS: Final = 1.0
"""A shorter wait may deviate by MOST of this."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one fleet, in seconds."""

    p50: float
    p95: float
    streams: float
    nodes: float
    players: int
    gave_up: int
    failures: int = 0
    late_seconds: float = 0.0
    """The largest delay of a controller's period by this machine."""


class Comparison(msgspec.Struct, frozen=True):
    """A scenario in the simulation and on real services."""

    case: Case
    simulated: Figures
    real: Figures

    def deviations(self) -> dict[str, float]:
        """Return the deviations of the simulation, as parts of the real figures."""
        pairs = {name: (getattr(self.simulated, name), getattr(self.real, name)) for name in ("p50", "p95")}
        found = {name: (mine - theirs) / max(theirs, SHORT_SECONDS) for name, (mine, theirs) in pairs.items()}
        return {**found, "streams": self.simulated.streams / self.real.streams - 1}

    @property
    def agrees(self) -> bool:
        """Whether all figures are within MOST, and no player of the real fleet was lost."""
        return all(abs(each) <= MOST for each in self.deviations().values()) and not self.real.failures


def figures_of(fates: bytearray, waits: Sequence[float], streams: float, nodes: float) -> Figures:
    """Return the figures of a run; all players count, however their wait ended."""
    ordered = sorted(waits)
    p50, p95 = (ordered[min(len(ordered) - 1, int(part * len(ordered)))] for part in (0.5, 0.95))
    return Figures(
        p50=p50, p95=p95, streams=streams, nodes=nodes, players=len(fates), gave_up=fates.count(Fate.GAVE_UP)
    )


HEADS: Final = ("scenario", "players", "wait p50, s", "wait p95, s", "gave up", "GPU hours", "GPU hours of nodes")


def rows(found: Sequence[Comparison]) -> list[tuple[str, ...]]:
    """Return the cells: each with the simulated figure, the real one, and the deviation of the compared ones."""
    made: list[tuple[str, ...]] = []
    for each in found:
        mine, real, off = each.simulated, each.real, each.deviations()
        gpus = each.case.scenario.nodes.gpus
        made.append(
            (
                each.case.name,
                str(real.players),
                f"{mine.p50:.2f} / {real.p50:.2f} ({_percent(off['p50'])})",
                f"{mine.p95:.2f} / {real.p95:.2f} ({_percent(off['p95'])})",
                f"{mine.gave_up} / {real.gave_up}",
                f"{mine.streams / 3600:.3f} / {real.streams / 3600:.3f} ({_percent(off['streams'])})",
                f"{gpus * mine.nodes / 3600:.2f} / {gpus * real.nodes / 3600:.2f}",
            )
        )
    return made


def _percent(part: float) -> str:
    return f"{100 * part:+.0f} %"


def table(found: Sequence[Comparison]) -> Table:
    """Return the comparison for a terminal."""
    made = Table(box=SIMPLE_HEAD, title="simulated / real (deviation)")
    for head in (*HEADS, "late, s", ""):
        made.add_column(head)
    for each, cells in zip(found, rows(found), strict=True):
        lost = f", {each.real.failures} lost" if each.real.failures else ""
        made.add_row(*cells, f"{each.real.late_seconds:.2f}", f"{'ok' if each.agrees else 'DEVIATES'}{lost}")
    return made


def document(found: Sequence[Comparison]) -> None:
    """Write the comparison to its page."""
    late = max(each.real.late_seconds for each in found)
    lines = ["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    lines += ["| " + " | ".join(cells) + " |" for cells in rows(found)]
    facts = {"seconds": f"{found[0].case.scenario.seconds:.0f}", "factor": FACTOR, "late": f"{late:.1f}"}
    goals = {"most": f"{100 * MOST:.0f}", "short": f"{SHORT_SECONDS:g}", "least": f"{MOST * SHORT_SECONDS:g}"}
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(f"{TEXT.format(**facts, **goals)}\n{chr(10).join(lines)}\n", encoding="utf-8")


TEXT: Final = """\
<!-- Written by `make simulate-truth`. -->
# The simulation beside real services

`make simulate-truth` runs five scenarios twice: in the simulation of `pixelfleet simulate`, and on real services on one
machine. Both runs have the same players: times of arrival, lengths of sessions, patience.

**Real** are redis-server, two matchmakers in processes of their own with their queue and metrics, up to 50 signalling
servers with streamers without media, and the players' websockets. The signalling servers run in the process of the
test, because 50 starting processes would need more than this machine has. A scaler in the test starts, drains and ends
them, from the metrics that the matchmakers export.

**Shared with the simulation** are the arithmetic of the autoscalers, the order of removal, and the pretended GPU nodes.

Each run has {seconds} s. Windows and periods of the autoscalers are those of the components divided by {factor}, and
sessions are seconds long. The periods of the scaler were late by at most {late} s, because the machine had other work.

Each cell has the simulated figure, the real one, and the deviation. The goal is at most {most} % for waits and GPU
hours; a wait below {short} s may deviate by {least} s.
"""
