"""What holds for every test: the loop is the one that runs in production, and nothing of ours may block it."""

import asyncio
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import blockbuster
import pytest
from blockbuster import BlockingError, blockbuster_ctx

SERVICES = Path(__file__).parent.parent / "services"
PACKAGES = sorted(init.parent.name for init in SERVICES.glob("*/__init__.py"))


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run async tests on uvloop wherever the services do."""
    if sys.platform == "win32":
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def blocked_calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fail a test in which a module of services/ blocks the event loop.

    The call raises at once. It is also kept here, where each entry is the stack of one call, because servers
    answer an error in a handler and tasks keep theirs: without this a test could pass all the same.
    """
    calls: list[str] = []

    class RecordedBlockingError(BlockingError):
        def __init__(self, func: str) -> None:
            super().__init__(func)
            calls.append("".join(traceback.format_stack(limit=12)))

    monkeypatch.setattr(blockbuster.blockbuster, "BlockingError", RecordedBlockingError)
    with blockbuster_ctx(PACKAGES):
        yield calls
    if calls:
        pytest.fail("the event loop was blocked:\n" + "\n".join(calls))
