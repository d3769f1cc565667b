"""The commands of docs/how-to/operate-sessions.md, as they stand, against real services and a real Redis."""

import os
import re
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.integration.matchmakers import KEY
from tests.integration.operators import TOKEN
from tests.integration.peers import negotiate, player, streamer
from tests.integration.test_records import Recording, recording  # noqa: F401
from tests.parts import eventually, program

pytestmark = pytest.mark.integration

ROOT: Final = Path(__file__).parents[2]
GUIDE: Final = ROOT / "docs" / "how-to" / "operate-sessions.md"


def commands() -> dict[str, str]:
    """Return the shell commands of each part of the guide, by its heading."""
    parts = re.split(r"^## ", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        part.partition("\n")[0]: "".join(re.findall(r"^```sh\n(.*?)^```$", part, re.DOTALL | re.MULTILINE))
        for part in parts
    }


async def run(folder: Path, script: str) -> str:
    """Return what a script of the guide prints; it stops at the first command that fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = ("bash", "-euo", "pipefail", "-c", script)
    async with program(*shell, cwd=folder, env={**os.environ, "PATH": path}) as process:
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_an_operator_follows_the_guide(recording: Recording, tmp_path: Path) -> None:  # noqa: F811
    parts = commands()
    assert list(parts)[1:] == ["Limit", "Invite", "End", "Bill", "Audit"]
    first = next(iter(parts.values()))
    for name, content in {
        "rest-token": TOKEN,
        "session-key": KEY,
        "authorization": f"Authorization: Bearer {TOKEN}",
    }.items():
        (tmp_path / name).write_text(content)
    begin = first.replace("http://127.0.0.1:3000", recording.matchmaker.rest_url)
    assert begin != first
    async with streamer(recording.pod.streamer_url, "cam") as source:
        await eventually(recording.matchmaker.streamers, "the streamer is reported")
        async with player(f"{recording.matchmaker.player_url}/?resume=1") as viewer:
            await negotiate(viewer, source, "default")
            (session,) = (await recording.get("sessions"))["items"]
            begin = begin.replace("0123456789abcdef0123456789abcdef", session["id"])
            assert session["id"] in begin
            shown = await run(tmp_path, begin + parts["Limit"])
            assert "cam" in shown
            assert "extending" in shown
            invites = await run(tmp_path, begin + parts["Invite"])
            assert "http://127.0.0.1:8080/?invite=" in invites
            assert '"role":"guest"' in invites
            assert "ending" in await run(tmp_path, begin + parts["End"])
            assert (await viewer.closed())[0] == 4201
        await recording.past()
    await run(tmp_path, begin + parts["Bill"])
    (script,) = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    (tmp_path / "bill.py").write_text(script)
    assert "(no login)\tdefault\t0." in await run(tmp_path, "python bill.py")
    await run(tmp_path, begin + parts["Audit"])
    audit = (tmp_path / "audit.json").read_text()
    assert all(f'"{action}' in audit for action in ("extend", "invite", "end"))
