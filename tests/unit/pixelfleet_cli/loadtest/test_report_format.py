"""The JSON output is an interface: fields are added, and not renamed or removed."""

from typing import Any

import msgspec

from tests.unit.pixelfleet_cli.loadtest.reports import report

EXPECTED: dict[str, Any] = {
    "": "version target startedAt seconds interrupted passed players times returns errors streamers media processes "
    "timeline settings",
    "players": "started served completed gaveUp stillPlaying stillWaiting skipped most",
    "times": "connect wait offer firstFrame resume lag",
    "times.wait": "count p50 p90 p95 p99 longest",
    "returns": "drops resumed negotiatedAgain joinedAgain",
    "errors.0": "code count hint",
    "streamers": "wanted connected withMedia",
    "media.0": "name tracks expectedTracks packets lostPackets bitsPerSecond framesPerSecond jitterSeconds "
    "firstFrameSeconds error",
    "processes.0": "name cpuPercent cpuPercentPeak memoryBytesPeak",
    "timeline.0": "seconds started playing waiting times errors cpuPercent memoryBytes",
}


def test_the_fields_of_the_output_are_stable() -> None:
    document = msgspec.to_builtins(report())
    for path, names in EXPECTED.items():
        found = document
        for part in filter(None, path.split(".")):
            found = found[int(part)] if part.isdigit() else found[part]
        assert list(found) == names.split(), path
