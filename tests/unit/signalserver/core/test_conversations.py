"""Whole conversations of every dialect, as recorded in `conversations/*.txt`.

A line is `PEER VERB DETAILS`. Verbs: `connects as` (a role, and options as name=value), `sends` and `receives` (a
message; `$name` stands for a player id, which its first appearance defines), `leaves`, `is closed with` (a code). The
messages must be received in this order, without others between them.
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
LINE = re.compile(r"(\w+) (connects as|sends|receives|leaves|is closed with) ?(.*)")


class Replay:
    """Plays one recorded conversation against a switchboard."""

    def __init__(self, text: str) -> None:
        self.player_ids: dict[str, str] = {}
        self.lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        legacy = self.lines[0] == "the streamers are 4.27"
        if legacy:
            del self.lines[0]
        self.talk = Conversation(Rules(legacy_streamers=legacy))
        self.pending: dict[str, list[dict[str, Any]]] = {}

    def run(self) -> None:
        for line in self.lines:
            found = LINE.fullmatch(line)
            assert found, line
            peer, verb, details = found.groups()
            if verb not in ("receives", "is closed with"):
                self._collect()
            if verb == "connects as":
                self._connect(peer, details)
            elif verb == "sends":
                self.talk.send_raw(peer, self._fill(details).encode())
            elif verb == "receives":
                self._collect(strict=False)
                assert self.pending[peer], f"{peer} received nothing more, at: {line}"
                self._match(orjson.loads(details), self.pending[peer].pop(0), line)
            elif verb == "leaves":
                self.talk.leave(peer)
            else:
                assert self.talk.closed[peer][0].code == int(details), line
        self._collect()

    def _connect(self, peer: str, details: str) -> None:
        role, *options = details.split()
        chosen = dict(option.split("=") for option in options)
        switchboard, now = self.talk.switchboard, self.talk.now
        self.talk.received[peer] = []
        self.pending[peer] = []
        if role == "streamer":
            outputs = switchboard.streamer_connected(peer, now, CONFIG)
        elif role == "sfu":
            outputs = switchboard.sfu_connected(peer, now, CONFIG)
        else:
            leased = chosen.get("leased")
            admission = Admission("session", leased, chosen["shown_as"]) if leased else None
            offers = chosen.get("OfferToReceive") == "true"
            outputs = switchboard.player_connected(peer, now, CONFIG, admission=admission, offers=offers)
        self.talk._do(outputs)

    def _collect(self, *, strict: bool = True) -> None:
        """Move received messages to the pending ones; when strict, none may be pending already."""
        if strict:
            unmatched = {peer: messages for peer, messages in self.pending.items() if messages}
            unexpected = {peer: messages for peer, messages in self.talk.received.items() if messages}
            assert not unmatched, f"not in the record: {unmatched}"
            assert not unexpected, f"not in the record: {unexpected}"
        for peer in self.talk.received:
            self.pending[peer].extend(self.talk.receive(peer))

    def _fill(self, text: str) -> str:
        return re.sub(r"\$(\w+)", lambda name: self.player_ids[name[1]], text)

    def _match(self, expected: dict[str, Any], received: dict[str, Any], line: str) -> None:
        for field, value in expected.items():
            if isinstance(value, str) and value.startswith("$"):
                player_id = self.player_ids.setdefault(value[1:], received[field])
                assert player_id.isdecimal()
                expected[field] = player_id
        assert received == expected, line


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_conversation_is_reproduced(path: Path) -> None:
    Replay(path.read_text()).run()


def test_every_dialect_is_recorded() -> None:
    assert {path.stem.split("_")[0] for path in RECORDED} >= {"legacy", "middle", "modern", "sfu", "leased"}
