"""Command lines and config files for cirrus, Wilbur and the OKE sample start this server, or give warnings."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pixelfleet.service.catalogue import names_of
from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import load
from signalserver.legacy.options import (
    DEFAULT_PLAYER_PORT,
    OPTIONS,
    LegacyOption,
    Server,
    find,
)
from signalserver.legacy.translation import translate_arguments, translate_config
from signalserver.settings import Settings
from tests.reference import CIRRUS_JSON

FIELDS = Settings.model_fields
OURS = [name.replace("_", "-") for name in names_of(Settings)]
DOCUMENT = (Path(__file__).parents[4] / "docs" / "how-to" / "migration.md").read_text(encoding="utf-8")

OKE_CIRRUS_JSON: dict[str, Any] = {
    "UseFrontend": False,
    "UseMatchmaker": False,
    "UseHTTPS": False,
    "UseAuthentication": False,
    "LogToFile": False,
    "EnableWebserver": False,
    "HomepageFile": None,
    "HttpPort": 3000,
    "StreamerPort": 8888,
}

OKE_ARGUMENTS = [
    "--configFile=/config/cirrus.json",
    "--httpPort=3000",
    "--streamerPort=8888",
    "--UseMatchmaker=true",
    "--MatchmakerAddress=matchmaker",
    "--MatchmakerPort=9999",
    "--useMatchmaker=true",
    "--matchmakerAddress=matchmaker",
    "--matchmakerPort=9999",
    "--ueRestEndpoint=http://localhost:8111",
    "--rtcConfigSvc=http://turn:3000",
    "--metricsPort=9000",
]

WILBUR_JSON: dict[str, Any] = {
    "log_folder": "logs",
    "log_level_console": "warning",
    "log_level_file": "info",
    "streamer_port": "8888",
    "player_port": "80",
    "sfu_port": "8889",
    "max_players": "2",
    "player_keepalive_timeout": "30000",
    "serve": True,
    "http_root": "www",
    "homepage": "player.html",
    "https": False,
    "https_port": 443,
    "ssl_key_path": "certificates/client-key.pem",
    "ssl_cert_path": "certificates/client-cert.pem",
    "https_redirect": False,
    "rest_api": False,
    "cors": False,
    "cors_allowed_origins": "",
    "cors_allowed_methods": "",
    "cors_allowed_headers": "",
    "cors_credentials": False,
    "peer_options": "",
    "peer_options_file": "",
    "turn_secret_file": "",
    "turn_ttl": "86400",
    "player_token_file": "",
    "streamer_token_file": "",
    "reverseProxy": False,
    "reverseProxyNumProxies": 1,
    "log_config": False,
    "stdin": False,
}
"""Wilbur's config file as `--save` writes it, with three values changed."""


def arguments(line: str, config: dict[str, Any] | None = None) -> list[str]:
    return translate_arguments(line.split(), config).arguments


def warnings(line: str, config: dict[str, Any] | None = None) -> list[str]:
    return translate_arguments(line.split(), config).warnings


# -- the table --------------------------------------------------------------------------------------


def test_every_option_is_there_once() -> None:
    names = [name for option in OPTIONS for name in (option.name, *option.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_becomes_settings_that_there_are_or_says_why_it_is_gone(option: LegacyOption) -> None:
    assert set(option.becomes) <= names_of(Settings), "no such setting"
    assert option.becomes or option.note
    assert option.unless in ("", *OURS)
    for mentioned in re.findall(r"--([a-z-]+)", option.note + option.caution):
        assert mentioned in OURS


@pytest.mark.parametrize("ours", sorted(OURS))
def test_none_of_our_options_is_taken_for_one_of_theirs(ours: str) -> None:
    option = find(ours)
    assert option is None or option.spelled_like_ours


def test_the_player_port_is_taken_to_be_what_it_is() -> None:
    assert str(FIELDS["player_port"].default) == DEFAULT_PLAYER_PORT


# -- the document -----------------------------------------------------------------------------------

SECTIONS = {Server.CIRRUS: "Options of cirrus", Server.WILBUR: "Options of Wilbur", Server.OKE: "Options of the OKE"}


def rows(server: Server) -> dict[str, str]:
    """Return the rows of a server's table, by the option's name."""
    section = re.split(r"^#+ ", DOCUMENT, flags=re.MULTILINE)
    text = next(part for part in section if part.startswith(SECTIONS[server]))
    found = re.findall(r"^\| `--([\w-]+)`.*$", text, flags=re.MULTILINE)
    lines = re.findall(r"^\| `--[\w-]+`.*$", text, flags=re.MULTILINE)
    assert len(found) == len(set(found)), "an option is there twice"
    return dict(zip(found, lines, strict=True))


@pytest.mark.parametrize("server", Server, ids=lambda server: server.name)
def test_the_document_has_every_option_and_no_other(server: Server) -> None:
    assert set(rows(server)) == {option.name for option in OPTIONS if option.server is server}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_the_document_says_what_became_of_an_option_and_what_it_prints(option: LegacyOption) -> None:
    row = rows(option.server)[option.name]
    for field in option.becomes:
        assert f"`--{field.replace('_', '-')}`" in row
    for sentence in filter(None, (option.note, option.caution)):
        assert sentence in row
    assert (" gone" in row) is not bool(option.becomes)
    assert ("prints nothing" in row) is option.quiet
    assert ("does not start" in row) is option.guards
    for value in filter(None, (option.moot, option.default)):
        assert f"`{value}`" in row


# -- arguments --------------------------------------------------------------------------------------


def test_the_arguments_of_the_oke_sample_start_ours() -> None:
    translation = translate_arguments(OKE_ARGUMENTS, OKE_CIRRUS_JSON)
    assert sorted(translation.arguments) == [
        "--config=/config/cirrus.json",
        "--matchmaker=matchmaker:9999",
        "--metrics-port=9000",
        "--player-port=3000",
        "--rtc-config-url=http://turn:3000",
        "--streamer-port=8888",
        "--ue-rest-endpoint=http://localhost:8111",
    ]
    load(Settings, [each for each in translation.arguments if not each.startswith("--config=")])


def test_the_oke_sample_is_told_of_the_dialect_and_of_the_paths_that_players_may_call() -> None:
    line = "--ueRestEndpoint=http://localhost:8111"
    assert [text.split(";")[0] for text in warnings(line)] == [
        "--ueRestEndpoint: players may call only the paths in --control-paths",
        "the OKE sample uses Unreal 4.27, which needs --dialect legacy",
    ]
    assert warnings(f"{line} --dialect legacy --control-paths /status") == []
    assert warnings(line, {"dialect": "legacy", "control_paths": ["/status"]}) == []


def test_the_arguments_of_wilbur_start_ours() -> None:
    line = (
        "--log_level_console debug --streamer_port 8881 --player_port 8080 --sfu_port 8882 --max_players 3 "
        "--serve --http_root pages --homepage index.html --rest_api --peer_options_file ice.json "
        "--player_keepalive_timeout 15000 --streamer_token secret --reverse-proxy --no_save"
    )
    translation = translate_arguments(line.split())
    assert translation.warnings == []
    settings = load(Settings, translation.arguments)
    assert settings.log_level == "debug"
    assert (settings.streamer_port, settings.player_port, settings.sfu_port) == (8881, 8080, 8882)
    assert (settings.max_players, settings.max_players_per_streamer) == (0, 3)
    assert (settings.serve, settings.http_root, settings.homepage) == (True, Path("pages"), "index.html")
    assert settings.rest_api
    assert settings.ping_interval == 15
    assert settings.trusted_proxies == 1
    assert settings.streamer_token is not None
    assert settings.streamer_token.get_secret_value() == "secret"


@pytest.mark.parametrize(
    "line",
    [
        "--StreamerPort=8888",
        "--StreamerPort 8888",
        "--streamerPort=8888",
        "--STREAMERPORT 8888",
        "--streamer_port 8888",
        "--StreamerPort=1 --StreamerPort=8888",
    ],
)
def test_an_option_takes_its_value_either_way(line: str) -> None:
    assert arguments(line) == ["--streamer-port=8888"]


@pytest.mark.parametrize("on", ["", "=true", " true", "=1", " 1", " TRUE"])
@pytest.mark.parametrize("off", ["=false", " false", "=0", " 0", "="])
def test_a_switch_takes_true_and_false_either_way(on: str, off: str) -> None:
    assert arguments(f"--UseMatchmaker{on}") == ["--matchmaker=127.0.0.1:9999"]
    assert arguments(f"--UseMatchmaker{off}") == ["--matchmaker="]
    assert arguments(f"--rest_api{on}") == ["--rest-api"]
    assert arguments(f"--rest_api{off}") == ["--no-rest-api"]


def test_a_switch_leaves_alone_what_is_not_its_value() -> None:
    assert arguments("--rest_api stray --app game") == ["--rest-api", "stray", "--app", "game"]
    assert arguments("--no-UseHTTPS --no-serve") == ["--no-serve"]


def test_a_switch_that_is_neither_true_nor_false_is_on_as_it_was_in_cirrus() -> None:
    assert arguments("--UseMatchmaker=maybe") == ["--matchmaker=127.0.0.1:9999"]
    assert warnings("--UseMatchmaker=maybe") == ["--UseMatchmaker: is neither true nor false; true is assumed"]


def test_an_own_option_takes_precedence_over_a_legacy_one() -> None:
    assert load(Settings, arguments("--player-port 5000 --HttpPort 80")).player_port == 5000
    assert load(Settings, arguments("--HttpPort 80 --player-port=5000")).player_port == 5000


def test_a_missing_value_is_named_by_the_settings() -> None:
    with pytest.raises(UsageError, match="--streamer-port"):
        load(Settings, arguments("--StreamerPort --rest_api"))


def test_arguments_after_two_hyphens_stay() -> None:
    assert arguments("--rest_api -- --HttpPort 80") == ["--rest-api", "--", "--HttpPort", "80"]


def test_an_option_without_an_equivalent_is_removed_with_a_warning() -> None:
    translation = translate_arguments(["--log_folder", "logs", "--turn_secret", "hush", "--console_messages"])
    assert translation.arguments == []
    assert [text.split(":")[0] for text in translation.warnings] == [
        "--log_folder",
        "--turn_secret",
        "--console_messages",
    ]
    assert "hush" not in "".join(translation.warnings)


def test_an_option_without_effect_gives_no_warning() -> None:
    line = "--UseFrontend=false --LogToFile false --LogVerbose=0 --EnableWebserver=false --UseAuthentication=false"
    assert translate_arguments(line.split()).warnings == []
    assert len(warnings("--LogToFile --EnableWebserver=true")) == 2


@pytest.mark.parametrize("name", ["player_token", "player_token_file"])
@pytest.mark.parametrize("form", ["--{}=hush", "--{} hush", "--{}"])
def test_an_access_control_without_an_equivalent_prevents_the_start(name: str, form: str) -> None:
    translation = translate_arguments(form.format(name).split())
    assert len(translation.warnings) == 1
    with pytest.raises(UsageError, match=f"--{name}") as caught:
        load(Settings, translation.arguments)
    assert "hush" not in f"{caught.value} {translation}"
    assert translate_arguments([f"--{name}="]).arguments == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--MaxPlayerCount -1", ["--max-players=0"]),
        ("--MaxPlayerCount=4", ["--max-players=4"]),
        ("--MaxPlayerCount=0", []),
        ("--max_players 4", ["--max-players-per-streamer=4"]),
        ("--player_keepalive_timeout 2500", ["--ping-interval=2.5"]),
        ("--player_keepalive_timeout 0", []),
        ("--player_keepalive_timeout soon", ["--ping-interval=soon"]),
        ("--HomepageFile=/Public/player.html", ["--homepage=Public/player.html"]),
        ('--peerConnectionOptions={"iceServers":[]}', ['--peer-options={"iceServers":[]}']),
        ("--streamer_token_file token", ["--streamer-token-file=token"]),
        ("--config_file a.json", ["--config=a.json"]),
        ("--config_file a.json --no_config", []),
        ("--reverse-proxy", ["--trusted-proxies=1"]),
        ("--reverse-proxy-num-proxies 2", ["--trusted-proxies=2"]),
        ("--reverse-proxy=false --reverse-proxy-num-proxies 2", []),
        ("--cors", []),
        ("--cors_allowed_origins https://a.example", []),
        ("--cors --cors_allowed_origins https://a.example, ", ["--origins=https://a.example"]),
        ("--cors --cors_allowed_origins=https://a,https://b", ["--origins=https://a", "--origins=https://b"]),
    ],
)
def test_a_value_is_converted(line: str, expected: list[str]) -> None:
    assert arguments(line) == expected


def test_a_value_without_an_equivalent_gives_a_warning() -> None:
    assert len(warnings("--MaxPlayerCount=0 --player_keepalive_timeout=0")) == 2
    assert len(warnings("--cors --cors_allowed_origins=https://a.example")) == 1


# -- options that make one setting together ---------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--UseMatchmaker --MatchmakerAddress=mm --MatchmakerPort=9000", ["--matchmaker=mm:9000"]),
        ("--UseMatchmaker --MatchmakerAddress=", ["--matchmaker=127.0.0.1:9999"]),
        ("--UseMatchmaker --MatchmakerAddress=fd00::1", ["--matchmaker=[fd00::1]:9999"]),
        ("--MatchmakerAddress=mm", []),
        ("--matchmaker_address mm", ["--matchmaker=mm:9999"]),
        ("--matchmaker mm:9000", ["--matchmaker", "mm:9000"]),
    ],
)
def test_the_matchmaker_is_one_address(line: str, expected: list[str]) -> None:
    assert arguments(line) == expected


def test_with_https_players_use_its_port_and_the_other_redirects() -> None:
    cirrus = arguments("--UseHTTPS --HttpPort 8080 --HttpsPort 8443 --HTTPSKeyFile k.pem --HTTPSCertFile c.pem")
    assert cirrus == ["--player-port=8443", "--redirect-port=8080", "--tls-cert=c.pem", "--tls-key=k.pem"]
    sample = arguments("--UseHTTPS=true --certificateDir /certs/")
    assert "--tls-key=/certs/privkey.pem" in sample
    assert "--tls-cert=/certs/fullchain.pem" in sample
    assert sample[:2] == ["--player-port=443", "--redirect-port=80"]
    wilbur = arguments("--https_port 8443 --player_port 8080")
    assert wilbur[0] == "--player-port=8443"
    assert not any("redirect" in each for each in wilbur)
    assert "--redirect-port=8080" in arguments("--https --https_redirect --player_port 8080")
    settings = load(Settings, cirrus)
    assert (settings.player_port, settings.redirect_port, settings.tls_key) == (8443, 8080, Path("k.pem"))


def test_without_https_its_options_do_nothing() -> None:
    assert arguments("--HttpsPort 443 --HTTPSKeyFile k --HTTPSCertFile c --certificateDir d") == []
    assert arguments("--UseHTTPS=0 --HttpPort 3000") == ["--player-port=3000"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--PublicIp 192.0.2.1", "--public-url=ws://192.0.2.1:4000"),
        ("--PublicIp 192.0.2.1 --HttpPort 80", "--public-url=ws://192.0.2.1:80"),
        ("--PublicIp 192.0.2.1 --player-port 5000", "--public-url=ws://192.0.2.1:5000"),
        ("--PublicIp 192.0.2.1 --UseHTTPS", "--public-url=wss://192.0.2.1:443"),
        ("--public_ip 2001:db8::1 --player_port 80", "--public-url=ws://[2001:db8::1]:80"),
        ("--PublicIp localhost --HttpPort 80", None),
    ],
)
def test_the_public_address_becomes_a_url(line: str, expected: str | None) -> None:
    assert next((each for each in arguments(line) if each.startswith("--public-url")), None) == expected


def test_the_file_completes_the_command_line() -> None:
    file = {"UseMatchmaker": True, "MatchmakerAddress": "behind", "MatchmakerPort": 9001, "PublicIp": "192.0.2.1"}
    assert arguments("--MatchmakerAddress=front", file) == ["--matchmaker=front:9001"]
    assert arguments("--UseMatchmaker=false", file) == ["--matchmaker="]
    assert arguments("--HttpPort=81", {"UseHTTPS": True, "HttpsPort": 444}) == [
        "--player-port=444",
        "--redirect-port=81",
    ]
    assert arguments("--SFUPort=1", file) == ["--sfu-port=1"]


# -- config files -----------------------------------------------------------------------------------


def test_a_cirrus_json_with_defaults_gives_no_warnings() -> None:
    translation = translate_config(CIRRUS_JSON)
    assert translation.warnings == []
    settings = Settings(**translation.keys)
    assert (settings.player_port, settings.streamer_port, settings.sfu_port) == (80, 8888, 8889)
    assert settings.model_dump() | {"player_port": 4000} == Settings().model_dump()


def test_the_cirrus_json_of_the_oke_sample_gives_no_warnings() -> None:
    translation = translate_config(OKE_CIRRUS_JSON)
    assert translation.warnings == []
    assert Settings(**translation.keys).player_port == 3000


def test_the_config_json_of_wilbur_gives_no_warnings() -> None:
    translation = translate_config(WILBUR_JSON)
    assert translation.warnings == []
    settings = Settings(**translation.keys)
    assert (settings.player_port, settings.log_level, settings.serve) == (80, "warning", True)
    assert (settings.max_players, settings.max_players_per_streamer) == (0, 2)
    assert settings.tls_cert is None
    assert settings.trusted_proxies == 0


def test_a_chosen_value_without_an_equivalent_gives_a_warning() -> None:
    chosen = CIRRUS_JSON | {"UseAuthentication": True, "AdditionalRoutes": {"/a": "b"}, "MaxPlayerCount": 0}
    names = [text.split(":")[0] for text in translate_config(chosen).warnings]
    assert names == ["UseAuthentication", "AdditionalRoutes", "MaxPlayerCount"]
    assert len(translate_config(WILBUR_JSON | {"log_folder": "elsewhere", "save": True}).warnings) == 2


def test_a_file_that_turns_on_https_and_the_matchmaker() -> None:
    chosen = CIRRUS_JSON | {"UseHTTPS": True, "UseMatchmaker": "true", "MatchmakerAddress": "mm"}
    keys = translate_config(chosen).keys
    assert keys["matchmaker"] == "mm:9999"
    assert (keys["player_port"], keys["redirect_port"]) == ("443", "80")
    assert keys["tls_key"] == "./certificates/client-key.pem"


def test_peer_options_may_be_an_object_in_a_file() -> None:
    for key in ("peer_options", "peerConnectionOptions"):
        settings = Settings(**translate_config({key: {"iceServers": [{"urls": ["stun:a.example:3478"]}]}}).keys)
        assert settings.peer_connection_options()["iceServers"][0]["urls"] == ["stun:a.example:3478"]


def test_a_guard_in_a_file_stops_the_start() -> None:
    translation = translate_config(WILBUR_JSON | {"player_token": "hush"})
    assert "hush" not in str(translation)
    assert len(translation.warnings) == 1
    assert "player_token" in translation.keys


def test_an_own_config_file_stays_unchanged() -> None:
    ours = {"player_port": 5000, "max_players": 4, "labels": {"gpu": "a10"}, "serve": True, "matchmaker": "mm:9999"}
    translation = translate_config(ours)
    assert translation.keys == ours
    assert translation.warnings == []


# -- any input --------------------------------------------------------------------------------------

texts = st.text(max_size=8) | st.sampled_from(
    ["true", "false", "0", "-1", "80", "", "x.json", "--", "a,b", "localhost", "::1", "[]", "hush"]
)
their_names = st.sampled_from([name for option in OPTIONS for name in (option.name, *option.aliases)])
our_names = st.sampled_from(OURS)
names = their_names | our_names | their_names.map(str.swapcase) | their_names.map("no-{}".format) | st.text(max_size=6)
tokens = (
    st.builds("--{}".format, names) | st.builds("--{}={}".format, names, texts) | st.builds("-{}".format, names) | texts
)
lines = st.lists(tokens, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 70000) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
files = st.dictionaries(their_names | st.sampled_from(list(FIELDS)) | st.text(max_size=6), values, max_size=8)


@given(lines, files)
@example(["--player_token", "hush", "stray"], {})
@example(["--HttpPort", "--StreamerPort=1", "stray"], {})
def test_the_translation_of_arguments_is_idempotent(argv: list[str], config: dict[str, Any]) -> None:
    once = translate_arguments(argv, config)
    again = translate_arguments(once.arguments)
    assert again.arguments == once.arguments
    assert set(again.warnings) <= set(once.warnings)
    assert len(once.warnings) == len(set(once.warnings))


@given(lines)
def test_no_legacy_option_remains_except_those_that_prevent_the_start(argv: list[str]) -> None:
    result = translate_arguments(argv).arguments
    for token in result[: result.index("--") if "--" in result else None]:
        option = find(token.removeprefix("--").partition("=")[0]) if token.startswith("--") else None
        assert option is None or option.spelled_like_ours or option.guards


@given(st.lists(st.builds("--{}={}".format, our_names, texts) | st.builds("--{}".format, our_names) | st.just("x")))
def test_own_arguments_stay_unchanged(argv: list[str]) -> None:
    translation = translate_arguments(argv)
    assert translation.arguments == argv
    assert translation.warnings == []


@given(st.sampled_from([option.name for option in OPTIONS]), st.sampled_from(["--{}={}", "--{} {}"]))
def test_no_value_is_repeated_in_a_warning(name: str, form: str) -> None:
    translation = translate_arguments(form.format(name, "hush").split())
    assert "hush" not in "".join(translation.warnings)


@given(files)
def test_the_translation_of_a_file_is_idempotent(keys: dict[str, Any]) -> None:
    once = translate_config(keys)
    again = translate_config(once.keys)
    assert {key: repr(value) for key, value in again.keys.items()} == {key: repr(v) for key, v in once.keys.items()}
    assert len(once.warnings) == len(set(once.warnings))
