"""Fixtures of the runs with real peers."""

from collections.abc import AsyncIterator, Generator

import pytest

from tests.interop.libraries import Pages, serving_pages
from tests.interop.run import Run

RUN: pytest.StashKey[Run] = pytest.StashKey()


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """The run of this test."""
    made = request.node.stash[RUN] = Run(request.node)
    return made


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    """The server of the pages on Epic's published libraries."""
    async with serving_pages() as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the services' log of a failed run: they log to the captured output."""
    report = yield
    run = item.stash.get(RUN, None)
    if report.failed and run is not None:
        run.save_services(f"{report.longreprtext}\n\n{report.capstdout}\n{report.capstderr}\n{report.caplog}")
    return report
