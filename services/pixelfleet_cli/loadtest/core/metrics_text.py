"""The resources of a process in the text of its Prometheus metrics. No I/O."""

import re
from typing import Final

_SAMPLE: Final = re.compile(
    r"^process_(cpu_seconds_total|resident_memory_bytes)(?:\{[^}]*\})? ([0-9.eE+-]{1,40})(?: \d+)?$", re.MULTILINE
)


def resources_of(text: str) -> tuple[float, int] | None:
    """Return CPU seconds and bytes of memory of a process; None when the metrics have none."""
    found = dict(_SAMPLE.findall(text))
    try:
        return float(found["cpu_seconds_total"]), int(float(found["resident_memory_bytes"]))
    except (KeyError, ValueError, OverflowError):
        return None
