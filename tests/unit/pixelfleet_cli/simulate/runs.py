"""Reports of short simulations."""

from typing import Any

from pixelfleet.capacity.arrivals import Source, rates
from pixelfleet_cli.simulate.plan import plan_of
from pixelfleet_cli.simulate.report import Report
from pixelfleet_cli.simulate.runs import report_of
from pixelfleet_cli.simulate.settings import Settings


def settings(**chosen: Any) -> Settings:
    return Settings(**{"days": 0.5, "rates": [60.0], **chosen})


def report(source: Source | None = None, **chosen: Any) -> Report:
    found = settings(**chosen)
    return report_of(plan_of(found, source or rates(found.rates), None), lambda number, part: None)
