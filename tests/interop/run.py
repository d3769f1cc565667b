"""One run of a peer along one path: its steps, its log, and the message of a failure."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

LOGS: Final = Path(__file__).parents[2] / ".build" / "interop"
"""Each failed run has a folder here."""

PROPERTY: Final = "interop"
"""The name of the user property with a run's Record as a dictionary, for the report."""

OUR_PAGE: Final = "Pixelfleet's page"
ALONE: Final = "signalserver alone"
ONE_STREAMER: Final = "chain, 1 streamer"
THREE_STREAMERS: Final = "chain, 3 streamers"
QUEUE: Final = "queue"
CUT: Final = "cut"
REDIAL: Final = "redial"


@dataclass
class Record:
    """What the report needs of a run."""

    peer: str
    version: str
    path: str
    """What was run, such as `chain, 1 streamer`."""
    steps: list[str] = field(default_factory=list)
    """The finished steps, and at the end the one that failed, if any."""

    def __str__(self) -> str:
        return f"{self.peer} {self.version}, {self.path}"


def recorded(report: pytest.TestReport) -> Record | None:
    """Return the record of the run that a report is about, if it is about one."""
    found = dict(report.user_properties).get(PROPERTY)
    return Record(**found) if isinstance(found, dict) else None


class Run:
    """The run of one test."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._record = Record("", "", "")
        self._lines: list[str] = []
        self.folder: Final = LOGS / re.sub(r"[^\w.]+", "-", f"{item.path.stem}-{item.name}").strip("-")
        shutil.rmtree(self.folder, ignore_errors=True)

    def describe(self, peer: str, path: str, version: Callable[[], str]) -> None:
        """Set what is run. The report knows the run from now on, also if `version` skips it: the peer is missing."""
        self._record.peer, self._record.path = peer, path
        self._item.user_properties.append((PROPERTY, vars(self._record)))  # not a copy: it has the steps to come
        self._record.version = version()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run a step; its failure names the peer, the path, the step and the folder with the logs."""
        self._record.steps.append(name)
        self.log(f"step: {name}")
        try:
            yield
        except (Exception, pytest.fail.Exception) as error:
            reason = str(error) or type(error).__name__
            self.log(f"failed: {reason}")
            self._save()
            place = self.folder.relative_to(LOGS.parents[1])
            raise AssertionError(f"{self._record}: step '{name}' failed: {reason} (logs: {place})") from error

    def log(self, line: str) -> None:
        """Add a line to the log, which is written only if the run fails."""
        self._lines.append(line)

    def _save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "peer.log").write_text("\n".join([*self._lines, ""]), encoding="utf-8")

    def save_services(self, log: str) -> None:
        """Write what the services logged, beside the log of the peer."""
        self._save()
        (self.folder / "services.log").write_text(log, encoding="utf-8")
