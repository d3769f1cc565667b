"""Draws the flights of two recorded visits side by side as an SVG, readable on light and on dark ground.

python -m benchmarks.first_frame --rtt 60 --record AFTER.json
python -m benchmarks.flight_diagram BEFORE.json AFTER.json > docs/images/first-frame-flights.svg
"""

import re
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.flights import Entry

LAST: Final = "answer"
"""The message with which the page's part ends: the streamer can send its video."""

ASIDE: Final = frozenset(
    {"/branding.json", "/page.json", "ping", "pong", "stats", "iceCandidate", "layerPreference", "icon.svg"}
)
"""What the first frame does not wait for."""

WIDTH, ROW, TOP = 440, 60, 70

STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #1b2130; stroke: #fff; stroke-width: 6; paint-order: stroke }
.head { font-weight: 600; font-size: 15px }
.number { fill: #5a6377 }
line, path { stroke: #5a6377; stroke-width: 1.5; fill: none }
.there { stroke: #2456d6 } .back { stroke: #0c7a5f }
@media (prefers-color-scheme: dark) {
  text { fill: #e8ebf4; stroke: #0d1117 } .number { fill: #a3acc2 } line, path { stroke: #a3acc2 }
  .there { stroke: #8fb0ff } .back { stroke: #4fd6b0 }
}
"""


def lines(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Return what goes there and back in each flight up to the answer; handshakes of TCP have no messages."""
    last = next(entry.flight for entry in entries if entry.from_page and entry.label == LAST)
    shown = [entry for entry in entries if entry.flight <= last and _short(entry.label) not in ASIDE]
    rows = []
    for flight in range(1, last + 1):
        there, back = (
            [_short(entry.label) for entry in shown if entry.flight == flight and entry.from_page is from_page]
            for from_page in (True, False)
        )
        if flight == last:
            there, back = [LAST], []
        rows.append((", ".join(dict.fromkeys(there)) or "TCP handshake", ", ".join(dict.fromkeys(back))))
    return rows


def _short(label: str) -> str:
    """Return a label without the hash of a file."""
    return re.sub(r"/assets/(\w+)-.*(\.\w+)$", r"\1\2", label)


def drawing(columns: Sequence[tuple[str, Sequence[Entry]]]) -> str:
    """Return the SVG with a column for each title and visit."""
    rows = [(title, lines(entries)) for title, entries in columns]
    height = TOP + ROW * max(len(flights) for _, flights in rows) + 20
    size = f'viewBox="0 0 {WIDTH * len(rows)} {height}" width="{WIDTH * len(rows)}" height="{height}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">', f"<style>{STYLE}</style>"]
    for index, (title, flights) in enumerate(rows):
        parts += _column(index * WIDTH, f"{title}: {len(flights)} flights", flights, height)
    return "\n".join([*parts, "</svg>\n"])


def _column(left: int, title: str, flights: Sequence[tuple[str, str]], height: int) -> list[str]:
    page, server = left + 60, left + WIDTH - 40
    middle = (page + server) // 2
    parts = [f'<text class="head" x="{middle}" y="20" text-anchor="middle">{escape(title)}</text>']
    for x, name in ((page, "page"), (server, "server")):
        parts.append(f'<text x="{x}" y="46" text-anchor="middle">{name}</text>')
        parts.append(f'<line x1="{x}" y1="54" x2="{x}" y2="{height - 10}"/>')
    for index, (there, back) in enumerate(flights):
        y = TOP + ROW * index
        parts.append(f'<text class="number" x="{page - 40}" y="{y + 5}">{index + 1}</text>')
        parts += _arrow("there", page, server, y, there)
        if index < len(flights) - 1:
            parts += _arrow("back", server, page, y + ROW // 2, back)
    return parts


def _arrow(kind: str, start: int, end: int, y: int, label: str) -> list[str]:
    tip = 7 if end < start else -7
    path = f"M{start} {y} L{end} {y + ROW // 2} M{end + tip} {y + ROW // 2 - 5} L{end} {y + ROW // 2} l{tip} 3"
    text = f'<text x="{(start + end) // 2}" y="{y + ROW // 4 + 4}" text-anchor="middle">{escape(label)}</text>'
    return [f'<path class="{kind}" d="{path}"/>', text]


def main(argv: Sequence[str]) -> int:
    """Print the drawing of the two files."""
    before, after = (msgspec.json.decode(Path(name).read_bytes(), type=list[Entry]) for name in argv)
    print(drawing([("Before", before), ("Now", after)]), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
