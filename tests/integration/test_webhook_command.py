"""`pixelfleet webhook`, and the receiver of the guide."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from matchmaker.webhooks.core.signature import keys_of
from tests.documents import ROOT, read
from tests.integration.webhook_receivers import SECRET, Behaviour, Receiver, running_receiver
from tests.parts import PATIENCE_SECONDS, eventually, free_port, program

CLI = (sys.executable, "-m", "pixelfleet_cli.cli", "webhook")


async def run(*arguments: str, secret: str = SECRET) -> tuple[int | None, str]:
    """Return the exit code and the output of a command."""

    env = {**os.environ, "PIXELFLEET_MATCHMAKER_WEBHOOK_SECRET": secret}
    async with program(*CLI, *arguments, env=env) as process, asyncio.timeout(PATIENCE_SECONDS):
        output, errors = await process.communicate()
    return process.returncode, (output + errors).decode()


@pytest.fixture
async def guide(tmp_path: Path) -> AsyncIterator[str]:
    """The receiver of the guide, on a free port; yields its URL."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", read(ROOT / "docs/how-to/webhooks.md"), re.MULTILINE | re.DOTALL)
    port = free_port()
    assert code.count("8300") == 1
    script = tmp_path / "receiver.py"
    script.write_text(code.replace("8300", str(port)))
    async with program(sys.executable, str(script), env={**os.environ, "WEBHOOK_SECRET": SECRET}):
        yield f"http://127.0.0.1:{port}/"


async def test_the_receiver_of_the_guide_passes(guide: str) -> None:
    async def passes() -> str | None:
        code, output = await run("test", guide)
        return output if code == 0 else None

    output = await eventually(passes, "the receiver has started and passes")
    assert output is not None
    assert [line.split()[0] for line in output.splitlines()] == ["ok"] * 3
    code, output = await run("test", guide, "--admission")
    assert code == 0
    assert ", allow" in output


async def test_a_receiver_that_checks_nothing_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.integration.webhook_receivers.check_signature", lambda *_: None)
    async with running_receiver() as receiver:
        code, output = await run("test", receiver.url)
    assert code == 1
    assert [line.split()[0] for line in output.splitlines()] == ["ok", "FAILED", "FAILED"]


@pytest.mark.parametrize("behaviour", ["500", "redirect", "close", "hang"])
async def test_a_receiver_that_fails_does_not_pass(behaviour: Behaviour) -> None:
    async with running_receiver(Receiver(lambda _: behaviour)) as receiver:
        code, output = await run("test", receiver.url, "--seconds", "0.5")
    assert code == 1
    assert output.startswith("FAILED  event")
    assert receiver.redirected == 0


async def test_usage_errors_and_a_new_secret() -> None:
    assert (await run("test", "http://127.0.0.1/", secret="whsec_short"))[0] == 2
    assert (await run("test", "ftp://127.0.0.1/"))[0] == 2
    code, output = await run("secret")
    assert code == 0
    assert len(keys_of(output)[0]) == 32
