"""Whole conversations of every dialect, as recorded in `conversations/*.txt`.

A line is `who verb what`. Verbs: `connects as` (what: a role, and options as name=value), `says` and `hears` (what: a
message; `$name` stands for a player id that is learnt where it is first heard), `leaves`, `is closed with` (what: a
code). Every message must be heard in just this order, and nothing else may be.
"""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from signalserver.core.roster import Admission
from signalserver.core.state import Rules
from tests.unit.signalserver.core.conversation import CONFIG, Conversation

RECORDED = sorted((Path(__file__).parent / "conversations").glob("*.txt"))


class Replay:
    """Plays one recorded conversation against a switchboard."""

    def __init__(self, text: str) -> None:
        self.learnt: dict[str, str] = {}
        self.lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        legacy = self.lines[0] == "the streamers are 4.27"
        if legacy:
            del self.lines[0]
        self.talk = Conversation(Rules(legacy_streamers=legacy))
        self.pending: dict[str, list[dict[str, Any]]] = {}

    def run(self) -> None:
        for line in self.lines:
            who, verb, what = re.fullmatch(r"(\w+) (connects as|says|hears|leaves|is closed with) ?(.*)", line).groups()  # type: ignore[union-attr]  # a line that does not fit must fail
            if verb not in ("hears", "is closed with"):
                self._collect()
            if verb == "connects as":
                self._connect(who, what)
            elif verb == "says":
                self.talk.say_raw(who, self._fill(what).encode())
            elif verb == "hears":
                self._collect(strict=False)
                assert self.pending[who], f"{who} heard nothing more, at: {line}"
                self._match(orjson.loads(what), self.pending[who].pop(0), line)
            elif verb == "leaves":
                self.talk.leave(who)
            else:
                assert self.talk.closed[who][0].code == int(what), line
        self._collect()

    def _connect(self, who: str, what: str) -> None:
        role, *options = what.split()
        chosen = dict(option.split("=") for option in options)
        switchboard, now = self.talk.switchboard, self.talk.now
        self.talk.heard[who] = []
        self.pending[who] = []
        if role == "streamer":
            outputs = switchboard.streamer_connected(who, now, CONFIG)
        elif role == "sfu":
            outputs = switchboard.sfu_connected(who, now, CONFIG)
        else:
            leased = chosen.get("leased")
            admission = Admission("session", leased, chosen["shown_as"]) if leased else None
            offers = chosen.get("OfferToReceive") == "true"
            outputs = switchboard.player_connected(who, now, CONFIG, admission=admission, offers=offers)
        self.talk._do(outputs)

    def _collect(self, *, strict: bool = True) -> None:
        """Move received messages to those that wait for comparison; when strict, none may wait from before."""
        if strict:
            unheard = {who: messages for who, messages in self.pending.items() if messages}
            fresh = {who: messages for who, messages in self.talk.heard.items() if messages}
            assert not unheard, f"not in the record: {unheard}"
            assert not fresh, f"not in the record: {fresh}"
        for who in self.talk.heard:
            self.pending[who].extend(self.talk.hear(who))

    def _fill(self, text: str) -> str:
        return re.sub(r"\$(\w+)", lambda name: self.learnt[name[1]], text)

    def _match(self, expected: dict[str, Any], heard: dict[str, Any], line: str) -> None:
        for field, value in expected.items():
            if isinstance(value, str) and value.startswith("$"):
                learnt = self.learnt.setdefault(value[1:], heard[field])
                assert learnt.isdecimal()
                expected[field] = learnt
        assert heard == expected, line


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_conversation_is_reproduced(path: Path) -> None:
    Replay(path.read_text()).run()


def test_every_dialect_is_recorded() -> None:
    assert {path.stem.split("_")[0] for path in RECORDED} >= {"legacy", "middle", "modern", "sfu", "leased"}
