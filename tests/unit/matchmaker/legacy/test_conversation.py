"""One player's connection to a legacy server: what is forwarded, and which closes refuse the player."""

from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from matchmaker.legacy.conversation import LegacyConversation, for_page
from matchmaker.legacy.known_dialects import LegacyDialects
from pixelfleet.fleet.model import StreamerReport
from pixelfleet.net.relay import Relay
from pixelfleet.protocol import close_codes
from tests.unit.pixelfleet.net.sockets import FakeSocket


class Conversation:
    """A player's relay, joined to a legacy server by its conversation."""

    def __init__(self, dialect: str = "5.0", early: tuple[str, ...] = ()) -> None:
        self.down, self.up = FakeSocket(), FakeSocket()
        self.lost: list[tuple[int, str]] = []
        self.dialects = LegacyDialects([])
        self.relay = Relay(self.down.real, on_end=lambda *_: None, on_upstream_lost=lambda *why: self.lost.append(why))
        for kind in early:
            self.send(kind)
        report = StreamerReport(
            server_id="10.0.0.7:80",
            endpoint_id="stock",
            app="app",
            url="ws://10.0.0.7:80",
            dialect=dialect,
            legacy=True,
        )
        self.conversation = LegacyConversation(self.relay, report, self.dialects)
        self.handler = self.conversation.join(self.up.real)

    def send(self, kind: str, **fields: Any) -> None:
        """Send a message of the player."""
        self.relay.message(orjson.dumps({"type": kind, **fields}))

    def receive(self, kind: str, **fields: Any) -> None:
        """Receive a message of the server."""
        self.handler.message(orjson.dumps({"type": kind, **fields}))

    @property
    def forwarded(self) -> list[str]:
        return [orjson.loads(data)["type"] for data in self.up.sent]


def test_only_known_types_are_forwarded_as_they_are_before_and_after_the_dial() -> None:
    talk = Conversation(early=("listStreamers", "layerPreference"))
    talk.relay.message(b'{"type":"answer", "sdp":"x", "minBitrateBps":1}')
    for data in (b"no JSON", b"{}", b"[]", b'{"type":7}', b'{"type":"invented"}', b"[" * 100_000):
        talk.relay.message(data)
    talk.send("layerPreference", spatialLayer=0)
    assert talk.up.sent == [b'{"type":"listStreamers"}', b'{"type":"answer", "sdp":"x", "minBitrateBps":1}']


def test_data_that_is_no_message_is_dropped_for_every_dialect() -> None:
    talk = Conversation("5.5")
    for data in (b"null", b"7", b"[]", b"{}", b"no JSON", b'{"type":null}', b"[" * 100_000):
        talk.relay.message(data)
    talk.send("invented")
    assert talk.forwarded == ["invented"]


def test_messages_of_the_server_are_all_forwarded() -> None:
    talk = Conversation()
    for kind in ("config", "playerCount", "warning", "invented"):
        talk.receive(kind)
    talk.handler.message(b"no JSON")
    assert [data for data in talk.down.sent if data.startswith(b"{")] == [
        orjson.dumps({"type": kind}) for kind in ("config", "playerCount", "warning", "invented")
    ]
    assert talk.down.sent[-1] == b"no JSON"


def test_a_pong_is_forwarded_once_the_server_has_sent_a_ping() -> None:
    talk = Conversation()
    talk.send("pong", time=1)
    talk.receive("ping", time=2)
    talk.send("pong", time=2)
    assert talk.up.sent == [b'{"type":"pong","time":2}']


def test_a_server_with_a_protocol_version_gets_every_message() -> None:
    talk = Conversation()
    talk.receive("config", protocolVersion="1.3.0")
    talk.send("control", action="move")
    talk.send("layerPreference", spatialLayer=0)
    assert talk.forwarded == ["control", "layerPreference"]


@pytest.mark.parametrize(("dialect", "forwarded"), [("legacy", []), ("5.1", []), ("5.2", ["subscribe"])])
def test_a_named_dialect_is_kept(dialect: str, forwarded: list[str]) -> None:
    talk = Conversation(dialect)
    talk.receive("streamerList", ids=[])
    talk.send("subscribe", streamerId="cam")
    assert talk.forwarded == forwarded


def test_the_dialect_of_another_release_is_one_of_5_0_to_5_4() -> None:
    talk = Conversation("6.0")
    talk.send("subscribe", streamerId="cam")
    talk.send("layerPreference")
    assert talk.forwarded == ["subscribe"]


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1008, 1013])
def test_a_close_before_an_answer_refuses_the_player(code: int) -> None:
    talk = Conversation()
    talk.receive("config")
    talk.receive("offer", sdp="x")
    talk.send("iceCandidate")
    assert talk.conversation.refuses(code)
    assert not talk.conversation.refuses(close_codes.DISCONNECTED_BY_STREAMER.code)
    assert not talk.conversation.refuses(close_codes.STREAMER_LEFT.code), "a signalserver that reports over the link"


@pytest.mark.parametrize("of", ["player", "streamer"])
def test_after_an_answer_no_close_refuses_the_player(of: str) -> None:
    talk = Conversation()
    (talk.send if of == "player" else talk.receive)("answer", sdp="x")
    assert not talk.conversation.refuses(1008)


def test_the_end_of_either_side_is_reported_to_the_other() -> None:
    talk = Conversation()
    talk.handler.closed(1013, "full")
    assert talk.lost == [(1013, "full")]
    for code in (1001, 1006, 4002, 4207):
        talk = Conversation()
        talk.relay.closed(code, "")
        assert talk.up.closes == [(1000, close_codes.NORMAL.reason)]


def test_a_page_never_gets_the_codes_that_would_stop_it() -> None:
    replaced = (close_codes.STREAM_UNAVAILABLE.code, close_codes.STREAM_UNAVAILABLE.reason)
    assert for_page(1001, "Broken") == for_page(1008, "Unsupported message type") == replaced
    for kept in ((1000, ""), (1011, "by the streamer"), (1013, "full"), (4000, "the streamer left")):
        assert for_page(*kept) == kept


# -- the server's `config` --------------------------------------------------------------------------

GOOD = {"urls": ["turn:10.0.0.7:3478"], "username": "u", "credential": "c"}


def test_a_config_that_browsers_accept_is_forwarded_as_it_is() -> None:
    talk = Conversation()
    data = orjson.dumps({"type": "config", "peerConnectionOptions": {"iceServers": [GOOD]}}, option=orjson.OPT_INDENT_2)
    with capture_logs() as lines:
        talk.handler.message(data)
        talk.receive("config")
        talk.receive("config", peerConnectionOptions=None)
    assert talk.down.sent[0] == data
    assert len(talk.down.sent) == 3
    assert lines == []


def test_a_config_that_a_browser_refuses_is_mended_and_logged_once() -> None:
    talk = Conversation()
    options = {"iceServers": [{"urls": "stun:10.0.0.7:99999"}, GOOD], "bundlePolicy": "foo"}
    with capture_logs() as lines:
        for _ in range(2):
            talk.receive("config", peerConnectionOptions=options, extra=1)
    mended = {"type": "config", "peerConnectionOptions": {"iceServers": [GOOD]}, "extra": 1}
    assert [orjson.loads(data) for data in talk.down.sent] == [mended, mended]
    assert [(line["event"], line["server"]) for line in lines] == [("config of legacy server mended", "10.0.0.7:80")]
    assert "iceServers[0].urls[0]" in lines[0]["left_out"]
    assert "99999" not in lines[0]["left_out"]


@pytest.mark.parametrize("options", [[], "{}", 1, False])
def test_a_config_without_an_object_gets_an_empty_one(options: object) -> None:
    talk = Conversation()
    talk.receive("config", peerConnectionOptions=options)
    assert orjson.loads(talk.down.sent[0]) == {"type": "config", "peerConnectionOptions": {}}
