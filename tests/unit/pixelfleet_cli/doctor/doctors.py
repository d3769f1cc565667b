"""Runs `pixelfleet doctor` in this process, and reads its report."""

import asyncio
import io
from dataclasses import dataclass
from typing import Any

import orjson

from pixelfleet_cli.doctor.app import perform
from pixelfleet_cli.doctor.command import _parser

PAGE = '<!doctype html><title>page</title><script type="module" src="./assets/main-abc123.js"></script>'
STYLED = f'{PAGE}<link rel="stylesheet" href="./assets/main-abc123.css">'


@dataclass
class Report:
    """A report in JSON."""

    code: int
    url: str
    checks: dict[str, dict[str, Any]]

    def found(self, check: str) -> list[str]:
        """Return the names of the findings of a check."""
        return [finding["name"] for finding in self.checks[check]["findings"]]

    def names(self) -> list[str]:
        """Return the names of all findings."""
        return [name for check in self.checks for name in self.found(check)]

    def summary(self, check: str) -> str:
        return str(self.checks[check]["summary"])

    def cause(self, name: str) -> str:
        """Return the cause of the finding of this name."""
        [cause] = [f["cause"] for check in self.checks.values() for f in check["findings"] if f["name"] == name]
        return str(cause)


async def examine(*arguments: str) -> Report:
    """Run the doctor with these arguments."""
    options = await asyncio.to_thread(lambda: _parser().parse([*arguments, "--json"]))  # argparse reads the disk
    out = io.StringIO()
    code = await perform(options, out)
    document = orjson.loads(out.getvalue())
    assert document["exitCode"] == code
    return Report(code, document["url"], {check["name"]: check for check in document["checks"]})


async def printed(*arguments: str) -> str:
    """Run the doctor with these arguments; return the text that it prints."""
    options = await asyncio.to_thread(lambda: _parser().parse(arguments))
    out = io.StringIO()
    await perform(options, out)
    return out.getvalue()
