"""Draws the plots. The same numbers and the same version of matplotlib give the same bytes."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.autoscalers.numbers import (
    BY_RATIO,
    DRAWN,
    EXACT,
    QUEUE,
    RAISED,
    SIZES,
    START_SECONDS,
    TOLERANT,
    WARM,
    Range,
    Scaler,
    fingerprint,
    ranges,
    ready_over_time,
)

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"

INK: Final = "#222222"
QUIET: Final = "#666666"
COLOURS: Final = {EXACT: "#0072B2", RAISED: "#E69F00", BY_RATIO: "#CC79A7", TOLERANT: "#333333"}
"""From the palette of Okabe and Ito, whose colours can be told apart with every kind of colour vision."""
MARKERS: Final = {EXACT: "o", RAISED: "s", BY_RATIO: "D", TOLERANT: "X"}
LABELS: Final = {
    EXACT: "hpa-stream, keda-stream (Kubernetes 1.35 and newer)",
    RAISED: "the same with before-1-35 (1.29 to 1.34)",
    BY_RATIO: "hpa-ratio",
    TOLERANT: "hpa-stream alone before 1.35: do not use",
}
STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "pixelfleet",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    # Opaque, so that the plots can be read on a dark page, too.
    "savefig.facecolor": "white",
}

_SPREAD: Final = 0.2
_TICKS: Final = (-100, -10, -1, 0, 1, 10, 100)
_SIDES: Final = {EXACT: "center", RAISED: "right", BY_RATIO: "center", TOLERANT: "left"}
"""The side of a bar on which its numbers end, so that those of neighbours do not overlap."""
_LINEAR: Final = 2
"""Numbers up to this one have a linear scale, those beyond a logarithmic one."""


def style() -> AbstractContextManager[None]:
    """Return a context in which everything is drawn in the same style."""
    return mpl.rc_context(STYLE)


def surplus() -> Figure:
    """Draw the pods without a player near each size of a fleet."""
    figure = Figure(figsize=(11, 6.2), layout="constrained")
    _title(figure, "Without a tolerance, each player gets a pod, and only the warm one is idle")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, title in ((left, "While the players grow by a tenth"), (right, "While they fall by a tenth")):
        _sized(axes, title)
    for index, scaler in enumerate(DRAWN):
        offset = (index - (len(DRAWN) - 1) / 2) * _SPREAD
        for axes, found in zip((left, right), ranges(scaler), strict=True):
            _ranges(axes, scaler, found, offset)
    left.set_ylabel("Pods minus players")
    left.annotate(
        "players wait\nuntil others leave", (0.01, 0.03), xycoords="axes fraction", color=QUIET, style="italic"
    )
    left.annotate("pods stay idle", (0.01, 0.95), xycoords="axes fraction", color=QUIET, style="italic")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def queue() -> Figure:
    """Draw the ready pods after many players came to a fleet of one starting pod."""
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    _title(figure, "A queue at one starting pod: hpa-ratio orders more pods only when pods are ready")
    axes = figure.subplots()
    for scaler, width in ((EXACT, 3.0), (RAISED, 1.4), (BY_RATIO, 3.0)):
        seconds, ready = zip(*ready_over_time(scaler), strict=True)
        minutes = [each / 60 for each in seconds]
        line = "--" if scaler is RAISED else "-"
        axes.step(minutes, ready, line, where="post", color=COLOURS[scaler], linewidth=width, label=LABELS[scaler])
    axes.axhline(QUEUE, color=QUIET, linewidth=1)
    axes.annotate(f"{QUEUE} players", (0.1, QUEUE + 2), color=QUIET, style="italic")
    axes.set_xlabel(f"Minutes since the players came; a pod is ready {START_SECONDS // 60} minutes after its order")
    axes.set_ylabel("Ready pods")
    axes.set_xlim(0, 12)
    axes.set_ylim(0, 125)
    axes.set_xticks(range(13))
    axes.legend(loc="center left", facecolor="white", framealpha=1, edgecolor="white")
    return figure


PLOTS: Final[dict[str, Callable[[], Figure]]] = {
    "autoscalers-surplus.svg": surplus,
    "autoscalers-queue.svg": queue,
}


def write(name: str, folder: Path = IMAGES) -> Path:
    """Draw a plot of PLOTS into a folder; return its path. Its description is the checksum of its numbers."""
    path = folder / name
    with style():
        PLOTS[name]().savefig(path, metadata={"Date": None, "Description": fingerprint()})
    return path


def _title(figure: Figure, text: str) -> None:
    figure.suptitle(text, x=0.01, ha="left", weight="bold")


def _sized(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xticks(range(len(SIZES)), [f"{size:,}" for size in SIZES])
    axes.set_xlabel("Players")
    axes.set_yscale("symlog", linthresh=_LINEAR)
    axes.set_ylim(-200, 400)
    axes.set_yticks(_TICKS, [_written(each) for each in _TICKS])
    axes.grid(visible=False, axis="x")
    axes.axhline(0, color=INK, linewidth=1)
    for between in range(len(SIZES) - 1):
        axes.axvline(between + 0.5, color="#eeeeee", linewidth=1)


def _ranges(axes: Axes, scaler: Scaler, found: Sequence[Range], offset: float) -> None:
    for index, each in enumerate(found):
        place = index + offset
        axes.plot([place, place], [each.least, each.most], color=COLOURS[scaler], linewidth=6, solid_capstyle="butt")
        ends = sorted({each.least, each.most})
        label = LABELS[scaler] if index == 0 else None
        axes.plot([place] * len(ends), ends, MARKERS[scaler], color=COLOURS[scaler], markersize=7, label=label)
        for value in sorted({each.most, min(each.least, 0)} - {0, WARM}):
            _number(axes, place, value, _SIDES[scaler])


def _number(axes: Axes, place: float, value: int, side: str) -> None:
    above = value > 0
    axes.annotate(
        _written(value),
        (place, value),
        xytext=({"left": -4, "center": 0, "right": 4}[side], 7 if above else -7),
        textcoords="offset points",
        ha=side,
        va="bottom" if above else "top",
        fontsize=9,
    )


def _written(value: int) -> str:
    return f"{value:,}".replace("-", "\N{MINUS SIGN}")
