"""What is observed while players join: memory, alerts, the autoscaler's figures, and an operator's requests."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from benchmarks.processes import resident_kib
from tests.soak.attacks import MARK
from tests.soak.fleet import Fleet

SAMPLE_SECONDS: Final = 1.0
OPERATOR_ADDRESS: Final = "192.0.2.250"


@dataclass(slots=True)
class Watch:
    """The observations of a run."""

    memory: list[dict[str, int]] = field(default_factory=list)
    """The resident memory of each process in KiB, one sample a second."""
    alerts: set[tuple[str, str, str]] = field(default_factory=set)
    """Alerts that were pending or firing: name, state, labels."""
    demand: list[float] = field(default_factory=list)
    """Samples of the demand ratio that autoscalers read."""
    operator_requests: int = 0
    operator_failures: list[str] = field(default_factory=list)
    """The status or error of each request of an operator that was not answered with 200."""

    async def run(self, fleet: Fleet) -> None:
        """Observe until cancelled."""
        url = f"http://127.0.0.1:{fleet.targets.router}/api/v1/apps"
        headers = {"Authorization": f"Bearer {fleet.token}", "X-Forwarded-For": OPERATOR_ADDRESS}
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as operator:
            while True:
                self.memory.append({name: resident_kib(each.pid) for name, each in fleet.programs.items()})
                await self._ask(operator, url)
                for rule in await fleet.prometheus.rules():
                    for alert in rule.get("alerts", ()):
                        self.alerts.add((rule["name"], alert["state"], str(sorted(alert["labels"].items()))))
                ratio = await fleet.prometheus.value("max(matchmaker_streamer_demand_ratio)")
                if ratio is not None:
                    self.demand.append(ratio)
                await asyncio.sleep(SAMPLE_SECONDS)

    async def _ask(self, operator: aiohttp.ClientSession, url: str) -> None:
        self.operator_requests += 1
        try:
            async with operator.get(url) as answer:
                if answer.status != 200:
                    self.operator_failures.append(str(answer.status))
        except (aiohttp.ClientError, TimeoutError) as error:
            self.operator_failures.append(type(error).__name__)


async def series(fleet: Fleet) -> int:
    """Return the number of series that exist now."""
    return int(await fleet.prometheus.value('count({__name__!=""})') or 0)


async def invented_labels(fleet: Fleet) -> list[str]:
    """Return the values of all labels, of now and of before, that the hostile client has invented."""
    return sorted(value for value in await fleet.prometheus.label_values() if MARK in value)
