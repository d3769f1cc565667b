"""The signalling server's settings and their checks."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import load
from signalserver.settings import Settings


def refused(*options: str) -> str:
    with pytest.raises(UsageError) as error:
        load(Settings, options)
    assert "\n" not in str(error.value)
    return str(error.value)


TURN = {"urls": "turn:h", "username": "u", "credential": "c"}
REFUSED_AT_START: list[dict[str, Any]] = [
    {"iceServers": [{**TURN, "urls": "turn:h:0"}]},
    {"iceServers": [{**TURN, "urls": "turn:h:99999"}]},
    {"iceServers": [{**TURN, "username": "u" * 600}]},
    {"bundlePolicy": "foo"},
    {"iceCandidatePoolSize": 300},
    {"certificates": [1]},
]
"""Options for which the constructor of RTCPeerConnection throws in a browser."""


def test_the_default_ports() -> None:
    settings = Settings()
    assert (settings.player_port, settings.streamer_port, settings.sfu_port) == (4000, 8888, 8889)
    assert settings.metrics_port == 4900
    assert settings.streamer_host == "127.0.0.1"
    assert (settings.max_message_bytes, settings.ping_interval) == (256 * 1024, 20)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--session-key", "short"], "--session-key"),
        (["--require-session"], "--session-key"),
        (["--tls-key", "k.pem"], "--tls-cert"),
        (["--tls-cert", "c.pem"], "--tls-key"),
        (["--redirect-port", "80"], "--tls-cert"),
        (["--rest-token", ""], "--rest-token"),
        (["--streamer-token", ""], "--streamer-token"),
        (["--streamer-takeover", "token"], "--streamer-token"),
        (["--streamer-takeover", "always"], "--streamer-takeover"),
        (["--matchmaker", "host"], "--matchmaker"),
        (["--fresh-app", "restart"], "--app-command"),
        (["--fresh-app", "delete-pod"], "--pod-name"),
        (["--app-process", "game"], "--fresh-app"),
        (["--launch-parameters", "map"], "--app-command"),
        (["--launch-parameters", "-x", "--app-command", "a"], "--launch-parameters"),
        (["--launch-parameters", "url", "--app-command", "a"], "--launch-parameters"),
        (["--fresh-app", "restart", "--app-command", "a", "--app-process", "b"], "--app-process"),
        (["--app-command", "'"], "--app-command"),
        (["--app-command", " "], "--app-command"),
        (
            ["--fresh-app", "delete-pod", "--pod-name", "a", "--pod-namespace", "b", "--app-command", "c"],
            "--app-command",
        ),
        (["--public-url", "http://host:80"], "--public-url"),
        (["--public-url", "ws://host:99999"], "--public-url"),
        (["--public-url", "ws://host/?x=1"], "--public-url"),
        (["--public-url", "ws://user:pw@host"], "--public-url"),
        (["--rtc-config-url", "ftp://host"], "--rtc-config-url"),
        (["--ue-rest-endpoint", "host:80"], "--ue-rest-endpoint"),
        (["--control-paths", "a b"], "--control-paths"),
        (["--peer-options", "[]"], "--peer-options"),
        (["--peer-options", "{"], "--peer-options"),
        *((["--peer-options", json.dumps(options)], "--peer-options") for options in REFUSED_AT_START),
        (["--max-nesting", "1"], "--max-nesting"),
        (["--max-streamer-messages-per-second", "-1"], "--max-streamer-messages-per-second"),
        (["--trusted-proxies", "-1"], "--trusted-proxies"),
    ],
    ids=str,
)
def test_an_error_names_the_invalid_option(options: list[str], named: str) -> None:
    assert named in refused(*options)


@pytest.mark.parametrize("url", ["ws://10.0.0.7:4000", "wss://[2001:db8::7]/pods/7", ""])
def test_a_public_url_is_a_websocket_url(url: str) -> None:
    assert Settings(public_url=url).public_url == url


def test_peer_options_override_the_file(tmp_path: Path) -> None:
    file = tmp_path / "peers.json"
    file.write_text(json.dumps({"iceServers": [], "iceTransportPolicy": "relay"}))
    assert Settings(peer_options_file=file).peer_connection_options()["iceTransportPolicy"] == "relay"
    assert Settings(peer_options_file=file, peer_options='{"iceServers":[]}').peer_connection_options() == {
        "iceServers": []
    }
    assert Settings().peer_connection_options() == {}


@pytest.mark.parametrize("content", [None, "", "{", "[1]", '{"iceServers": 1}'])
def test_an_invalid_file_of_peer_options_is_named_in_the_error(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "peers.json"
    if content is not None:
        file.write_text(content)
    settings = Settings(peer_options_file=file)
    if content == "":
        assert settings.peer_connection_options() == {}
        return
    with pytest.raises(UsageError, match=r"--peer-options-file .*peers\.json"):
        settings.peer_connection_options()


def test_no_secret_is_shown() -> None:
    settings = Settings(
        session_key="hush" * 8,
        rest_token="hush",
        streamer_token="hush",
        peer_options='{"iceServers":[{"urls":"turn:h","username":"u","credential":"hush"}]}',
        rtc_config_url="http://u:hush@turn/?key=hush",
        ue_rest_endpoint="http://u:hush@127.0.0.1:30010/remote",
    )
    shown = settings.shown()
    assert "hush" not in json.dumps(shown)
    assert shown["ue_rest_endpoint"] == "http://127.0.0.1:30010/remote"
    assert shown["player_port"] == 4000


@pytest.mark.parametrize(("rate", "burst", "expected"), [(0, 10, (float("inf"), 10_000)), (50, 10, (50, 50))])
def test_streamers_have_a_rate_limit_of_their_own(rate: float, burst: float, expected: tuple[float, float]) -> None:
    bounds = Settings(max_streamer_messages_per_second=rate, max_message_burst=burst).streamer_bounds()
    assert (bounds.messages_per_second, bounds.message_burst) == expected


@pytest.mark.parametrize("field", [{"labels": {"region": 1}}, {"capacity": -1}, {"app": ""}, {"server_id": "x" * 129}])
def test_values_for_the_fleet_are_checked(field: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**field)


@pytest.mark.parametrize(
    "options",
    [
        ["--peer-options", '{"iceServers":[{"urls":"turn:h","username":"u","credential":"s3cret"},1]}'],
        ["--peer-options", "s3cret"],
        ["--rtc-config-url", "ftp://user:s3cret@host/?key=s3cret"],
        ["--public-url", "ws://user:s3cret@host/"],
        ["--ue-rest-endpoint", "http://user:s3cret@host/?key=s3cret"],
        ["--matchmaker", "s3cret"],
        ["--link-key", "s3cret"],
        ["--link-key=s3cret"],
    ],
    ids=str,
)
def test_an_error_does_not_repeat_a_value_that_may_be_a_secret(options: list[str]) -> None:
    assert "s3cret" not in refused(*options)
