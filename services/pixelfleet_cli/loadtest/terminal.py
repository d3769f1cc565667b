"""The report on a terminal."""

from typing import Final, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pixelfleet.service.help import terminal_width
from pixelfleet_cli.loadtest.core.results import Report, Times
from pixelfleet_cli.loadtest.core.tally import Span

NAMES: Final[dict[str, str]] = {
    Span.CONNECT: "websocket open",
    Span.WAIT: "streamer assigned",
    Span.OFFER: "offer received",
    Span.FIRST_FRAME: "first frame",
    Span.RESUME: "session resumed",
    Span.LAG: "lag of this command",
}
"""The names of times."""


def show(report: Report, stream: TextIO) -> None:
    """Print the report."""
    console = Console(file=stream, width=terminal_width(), highlight=False, markup=False, emoji=False)
    for line in conclusion(report):
        console.print(Text(line))
    for table in (_times(report), _media(report), _processes(report), _errors(report)):
        if table.row_count:
            console.print()
            console.print(table)


def conclusion(report: Report) -> list[str]:
    """Return the result in sentences."""
    players, wait = report.players, report.times[Span.WAIT]
    begin = f"{players.served:,} of {players.started:,} players got a streamer"
    waited = f", 95 % of them within {spoken(wait.p95)}" if wait.count else ""
    lines = [f"{begin}{waited}; {counted(report.error_count, 'error')}."]
    lines.append(
        f"{counted(players.completed, 'player')} stayed for their time, {players.gave_up:,} gave up waiting; at the "
        f"end {players.still_playing:,} play and {players.still_waiting:,} wait. At most {players.most:,} at once."
    )
    if report.returns.drops:
        back = report.returns
        lines.append(
            f"{counted(back.drops, 'connection')} dropped: {back.resumed:,} sessions went on, "
            f"{back.negotiated_again:,} negotiated again, {back.joined_again:,} joined anew."
        )
    if report.media:
        count = len(report.media)
        mean = bitrate(sum(each.bits_per_second for each in report.media) / count)
        lines.append(f"{counted(count, 'player')} received media, {mean} each on average.")
    if report.streamers.wanted:
        lines.append(f"{report.streamers.connected:,} of {report.streamers.wanted:,} test streamers are connected.")
    if players.skipped:
        lines.append(f"{counted(players.skipped, 'player')} did not start because of --concurrent.")
    if report.is_too_slow:
        lag = spoken(report.times[Span.LAG].p99)
        lines.append(
            f"This machine was too slow (lag {lag}): the times are too long. Use several machines, or a lower rate."
        )
    if report.interrupted:
        lines.append(f"The test was interrupted after {spoken(report.seconds)}.")
    return lines


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def spoken(seconds: float | None) -> str:
    """Return a time in the unit that suits it; a dash for None."""
    if seconds is None:
        return "-"
    if seconds < 0.9995:
        return f"{1000 * seconds:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 119.5 else f"{seconds / 60:.3g} min"


def size(number: float) -> str:
    """Return bytes in MiB."""
    return f"{number / 1024**2:,.0f} MiB"


def bitrate(bits_per_second: float) -> str:
    """Return a bitrate."""
    return f"{bits_per_second / 1e6:.2f} Mbit/s" if bits_per_second >= 1e6 else f"{bits_per_second / 1e3:.0f} kbit/s"


def loss(packets: int, lost: int) -> str:
    """Return lost packets with their part."""
    return f"{lost:,} ({100 * lost / max(1, packets + lost):.2g} %)"


def time_cells(times: Times) -> list[str]:
    """Return the texts for TIME_HEADS, after the name."""
    return [f"{times.count:,}", *(spoken(each) for each in (times.p50, times.p90, times.p95, times.p99, times.longest))]


TIME_HEADS: Final = ("time until", "players", "p50", "p90", "p95", "p99", "longest")
MEDIA_HEADS: Final = ("player", "tracks", "packets", "lost", "bitrate", "fps", "jitter", "first frame", "error")
PROCESS_HEADS: Final = ("process", "CPU mean", "CPU peak", "memory peak")


def media_rows(report: Report) -> list[list[str]]:
    """Return the texts for MEDIA_HEADS: each player with media, and their sum."""
    rows = [
        [
            each.name,
            f"{each.tracks}/{each.expected_tracks}",
            f"{each.packets:,}",
            loss(each.packets, each.lost_packets),
            bitrate(each.bits_per_second),
            f"{each.frames_per_second:.1f}",
            spoken(each.jitter_seconds),
            spoken(each.first_frame_seconds),
            each.error,
        ]
        for each in report.media
    ]
    return [*rows, _sum(report)] if len(rows) > 1 else rows


def _sum(report: Report) -> list[str]:
    """Return the texts for MEDIA_HEADS of all players with media: sums, and the mean of the frame rates."""
    media = report.media
    packets, lost = sum(each.packets for each in media), sum(each.lost_packets for each in media)
    return [
        "all",
        f"{sum(each.tracks for each in media)}/{sum(each.expected_tracks for each in media)}",
        f"{packets:,}",
        loss(packets, lost),
        bitrate(sum(each.bits_per_second for each in media)),
        f"{sum(each.frames_per_second for each in media) / len(media):.1f}",
        "",
        "",
        counted(sum(bool(each.error) for each in media), "error"),
    ]


def process_rows(report: Report) -> list[list[str]]:
    """Return the texts for PROCESS_HEADS."""
    return [
        [each.name, f"{each.cpu_percent:.1f} %", f"{each.cpu_percent_peak:.1f} %", size(each.memory_bytes_peak)]
        for each in report.processes
    ]


def _table(heads: tuple[str, ...], rows: list[list[str]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _times(report: Report) -> Table:
    shown = [(NAMES[name], times) for name, times in report.times.items() if times.count]
    return _table(TIME_HEADS, [[name, *time_cells(times)] for name, times in shown])


def _media(report: Report) -> Table:
    jitter = MEDIA_HEADS.index("jitter")  # the table would be wider than a terminal
    rows = [row[:jitter] + row[jitter + 1 :] for row in media_rows(report)]
    return _table(MEDIA_HEADS[:jitter] + MEDIA_HEADS[jitter + 1 :], rows)


def _processes(report: Report) -> Table:
    return _table(PROCESS_HEADS, process_rows(report))


def _errors(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("errors", justify="right", no_wrap=True)
    table.add_column("code", no_wrap=True)
    table.add_column("what it usually means")
    for error in report.errors:
        table.add_row(f"{error.count:,}", error.code, error.hint)
    return table
