"""CPU time and memory of the process, under the names of Prometheus' client libraries."""

import os
import time
from collections.abc import Iterable
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

STATM: Final = "/proc/self/statm"


class ProcessMetrics(Collector):
    """Reads the figures for each scrape.

    The collector of prometheus_client opens several files and lists the open descriptors for each scrape, inside the
    event loop. This one makes one read, from a file that the kernel makes in memory.
    """

    def collect(self) -> Iterable[Metric]:
        """Return the metrics; the memory only where Linux' /proc exists."""
        yield CounterMetricFamily(
            "process_cpu_seconds", "CPU time of the process in user and kernel mode.", value=time.process_time()
        )
        memory = resident_bytes()
        if memory is not None:
            yield GaugeMetricFamily("process_resident_memory_bytes", "Resident memory of the process.", value=memory)


def resident_bytes(path: str = STATM) -> int | None:
    """Return the resident memory of this process; None where it is unknown."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return int(os.pread(descriptor, 256, 0).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
    finally:
        os.close(descriptor)
