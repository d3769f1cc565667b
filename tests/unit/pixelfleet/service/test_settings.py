import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import MAX_CONFIG_BYTES, ServiceSettings, load, read_config_file

ENV = "PIXELFLEET_EXAMPLE_"


class Example(ServiceSettings):
    """One field of each kind."""

    model_config = SettingsConfigDict(env_prefix=ENV)
    command: ClassVar[str] = "example"

    player_port: int = Field(4000, ge=0, le=65535, description="a port")
    rate: float = Field(1.0, gt=0, description="a rate")
    name: str = Field("", max_length=8, description="a name")
    serve: bool = Field(False, description="a switch")
    peers: list[str] = Field(["a"], min_length=1, description="several")
    labels: dict[str, str] = Field({}, description="a table")
    folder: Path | None = Field(None, description="a path")
    token: SecretStr | None = Field(None, description="a secret")
    pin: SecretStr = Field(SecretStr(""), max_length=6, description="a short secret")

    @field_validator("name")
    @classmethod
    def _name_is_not_a_number(cls, value: str) -> str:
        if value.isdigit():
            raise ValueError("Must not be a number")
        return value


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def written(path: Path, keys: object) -> list[str]:
    """Write a config file; return the options that name it."""
    path.write_text(json.dumps(keys), encoding="utf-8")
    return ["--config", str(path)]


def refused(*options: str) -> str:
    with pytest.raises(UsageError) as error:
        load(Example, options)
    text = str(error.value)
    assert text
    assert len(text.splitlines()) == 1
    return text


# -- sources ----------------------------------------------------------------------------------------


def test_without_any_source_the_defaults_apply() -> None:
    loaded = load(Example, [])
    assert loaded == Example()
    assert (loaded.player_port, loaded.peers, loaded.host) == (4000, ["a"], "0.0.0.0")


def test_an_option_is_spelled_in_kebab_case() -> None:
    assert load(Example, ["--player-port", "5"]).player_port == 5
    assert load(Example, ["--player-port=6"]).player_port == 6
    assert load(Example, ["--player-port", "5", "--player-port", "7"]).player_port == 7


def test_options_override_the_environment_which_overrides_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = written(config, {"player_port": 1, "rate": 1.5, "name": "file"})
    monkeypatch.setenv(ENV + "PLAYER_PORT", "2")
    monkeypatch.setenv(ENV + "RATE", "2.5")
    loaded = load(Example, [*options, "--player-port", "3"])
    assert (loaded.player_port, loaded.rate, loaded.name) == (3, 2.5, "file")


def test_the_environment_may_name_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(config, {"name": "file"})
    monkeypatch.setenv(ENV + "CONFIG", str(config))
    assert load(Example, []).name == "file"


def test_the_option_for_the_file_has_precedence(config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ENV + "CONFIG", str(tmp_path / "missing.json"))
    assert load(Example, written(config, {"name": "file"})).name == "file"


def test_another_services_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXELFLEET_OTHER_PLAYER_PORT", "1")
    monkeypatch.setenv("PLAYER_PORT", "1")
    monkeypatch.setenv(ENV + "NO_SUCH_FIELD", "1")
    assert load(Example, []).player_port == 4000


def test_a_dotenv_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(f"{ENV}PLAYER_PORT=1\n")
    monkeypatch.chdir(tmp_path)
    assert load(Example, []).player_port == 4000


@pytest.mark.parametrize(
    ("options", "serve"),
    [([], False), (["--serve"], True), (["--no-serve"], False), (["--serve", "--no-serve"], False)],
    ids=str,
)
def test_a_switch_needs_no_value(options: list[str], *, serve: bool) -> None:
    assert load(Example, options).serve is serve


@pytest.mark.parametrize(
    "options", [["--peers", "b", "--peers", "c"], ["--peers", "b,c"], ["--peers", '["b","c"]']], ids=str
)
def test_an_option_may_be_repeated(options: list[str]) -> None:
    assert load(Example, options).peers == ["b", "c"]


def test_a_table_is_a_json_object() -> None:
    assert load(Example, ["--labels", '{"region": "eu"}']).labels == {"region": "eu"}


def test_a_list_in_the_environment_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV + "PEERS", '["b", "c"]')
    assert load(Example, []).peers == ["b", "c"]


@pytest.mark.parametrize(
    ("value", "peers"),
    [
        ("ws://b:1", ["ws://b:1"]),
        ("ws://b:1,ws://c:2", ["ws://b:1", "ws://c:2"]),
        (" ws://b:1 , ws://c:2, ", ["ws://b:1", "ws://c:2"]),
    ],
)
def test_a_list_in_the_environment_may_be_written_as_in_an_option(
    monkeypatch: pytest.MonkeyPatch, value: str, peers: list[str]
) -> None:
    monkeypatch.setenv(ENV + "PEERS", value)
    assert load(Example, []).peers == peers


def test_an_empty_list_in_the_environment_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV + "PEERS", "")
    assert "--peers: " in refused()


# -- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--no-such-option"], "--no-such-option"),
        (["--player"], "--player"),
        (["surplus"], "not an option"),
        (["--no-such", "--serve", "--nor-this=1"], "unknown option --no-such, --nor-this"),
        (["--player-port"], "--player-port"),
        (["--player-port", "many"], "(got 'many')"),
        (["--player-port", "65536"], "--player-port: "),
        (["--player-port", "-1"], "--player-port: "),
        (["--player-port", ""], "--player-port: "),
        (["--rate", "0"], "--rate: "),
        (["--rate", "nan"], "--rate: "),
        (["--name", "123456789"], "--name: "),
        (["--name", "12"], "--name: must not be a number"),
        (["--name", "two\nlines"], "--name: "),
        (["--host", ""], "--host: "),
        (["--log-level", "loud"], "--log-level: "),
        (["--labels", "[1]"], "labels"),
        (["--labels", '{"a": {}}'], "--labels"),
        (["--rate", "0", "--player-port", "x"], "--rate: "),
    ],
    ids=str,
)
def test_an_invalid_option_is_named_in_one_line(options: list[str], named: str) -> None:
    assert named in refused(*options)


def test_every_invalid_option_is_named() -> None:
    text = refused("--rate", "0", "--player-port", "x")
    assert "--rate: " in text
    assert "--player-port: " in text


def test_an_invalid_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV + "PLAYER_PORT", "many")
    assert "--player-port: " in refused()


def test_a_long_value_is_truncated() -> None:
    assert len(refused("--name", "x" * 10_000)) < 300


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"player_port": "many"}, "--player-port: "),
        ({"player-port": 1}, "unknown setting 'player-port' in the config file"),
        ({"no_such": 1}, "unknown setting 'no_such' in the config file"),
        ({"peers": "a"}, "--peers: "),
        ({"peers": []}, "--peers: "),
        ({"peers": [1]}, "--peers: "),
        ({"player_port": None}, "--player-port: "),
        ({"line\nbreak": 1}, "unknown setting"),
    ],
    ids=str,
)
def test_an_invalid_key_in_the_file_is_named_in_one_line(config: Path, keys: dict[str, Any], named: str) -> None:
    assert named in refused(*written(config, keys))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"7", b'"text"', b"\xff\xfe{}", b"[" * 100_000, b"{}" * 2, b"{'a': 1}"],
    ids=lambda content: content[:8],
)
def test_a_file_without_an_object_is_named(config: Path, content: bytes) -> None:
    config.write_bytes(content)
    assert refused("--config", str(config)).startswith(f"--config {config}: ")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    assert "missing.json: No such file" in refused("--config", str(tmp_path / "missing.json"))
    assert "directory" in refused("--config", str(tmp_path))


def test_a_file_over_the_limit_is_refused(config: Path) -> None:
    config.write_bytes(b'{"name": "' + b"x" * MAX_CONFIG_BYTES + b'"}')
    assert "larger than" in refused("--config", str(config))


# -- secrets ----------------------------------------------------------------------------------------

SECRET = "t0psecret"


@pytest.mark.parametrize(
    "options",
    [
        ["--pin", SECRET],
        ["--token", SECRET, "--player-port", "x"],
        ["--token", SECRET, "--no-such-option"],
        [f"--token={SECRET}", "--name", "123456789"],
    ],
    ids=str,
)
def test_a_refusal_does_not_show_a_secret(options: list[str]) -> None:
    assert SECRET not in refused(*options)


@pytest.mark.parametrize("value", [SECRET, [SECRET], {"a": SECRET}, 7], ids=str)
def test_a_refusal_does_not_show_a_secret_of_the_file(config: Path, value: object) -> None:
    assert SECRET not in refused(*written(config, {"pin": value, "token": value, "rate": 0}))


@pytest.mark.parametrize(
    "options",
    [["--tokn", SECRET], [f"--tokn={SECRET}"], ["--tokn", f"a --{SECRET}"], [SECRET], [f"--p={SECRET}"]],
    ids=str,
)
def test_a_refusal_does_not_show_a_secret_behind_a_misspelled_option(options: list[str]) -> None:
    assert SECRET not in refused(*options)


def test_settings_are_shown_without_their_secrets() -> None:
    loaded = load(Example, ["--token", SECRET])
    assert loaded.token is not None
    assert loaded.token.get_secret_value() == SECRET
    assert SECRET not in repr(loaded)
    assert SECRET not in str(loaded.model_dump())


# -- arbitrary input --------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["--player-port", "--rate", "--name", "--serve", "--peers", "--labels", "--folder", "--token", "--", "-", "1", "{}"]
)


@given(st.lists(WORDS | st.text(max_size=12), max_size=6))
@example(["--labels", '{"a'])
@example(["--peers", "["])
@example(["--name", "\ud800"])
@example(["--folder", "\x00"])
@example(["-hx"])
def test_any_arguments_make_settings_or_help_or_one_line(arguments: list[str]) -> None:
    error = outcome(arguments)
    assert error is None or len(error.splitlines()) == 1


def outcome(arguments: list[str]) -> str | None:
    """Return the error for arguments; None when they are valid or request help."""
    try:
        assert isinstance(load(Example, arguments), Example)
    except UsageError as error:
        return str(error)
    except SystemExit as ended:
        return None if ended.code == 0 else str(ended.code)
    return None


@given(
    st.dictionaries(
        st.sampled_from([*Example.model_fields, "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
            max_leaves=5,
        ),
        max_size=4,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_makes_settings_or_one_line(config: Path, keys: dict[str, Any]) -> None:
    error = outcome(written(config, keys))
    assert error is None or len(error.splitlines()) == 1


@given(st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_an_object_or_refused(config: Path, content: bytes) -> None:
    config.write_bytes(content)
    try:
        assert isinstance(read_config_file(config), dict)
    except UsageError as error:
        text = str(error)
        assert len(text.splitlines()) == 1


def test_help_names_and_describes_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        load(Example, ["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "pixelfleet example" in text
    for name, field in Example.model_fields.items():
        assert "--" + name.replace("_", "-") in text
        assert str(field.description).split()[0] in text


# -- options of reference servers --------------------------------------------------------------------


class Translating(Example):
    """Translates a key and an option of a reference server."""

    @classmethod
    def translate_config(cls, keys: dict[str, Any]) -> dict[str, Any]:
        return {"player_port" if name == "HttpPort" else name: value for name, value in keys.items()}

    @classmethod
    def translate_arguments(cls, arguments: list[str], keys: dict[str, Any] | None) -> list[str]:
        assert keys is None or "HttpPort" in keys
        return ["--player-port" if argument == "--HttpPort" else argument for argument in arguments]


def test_options_of_reference_servers_are_translated(config: Path) -> None:
    assert load(Translating, written(config, {"HttpPort": 80})).player_port == 80
    assert load(Translating, ["--HttpPort", "81"]).player_port == 81
    assert load(Translating, [*written(config, {"HttpPort": 80}), "--HttpPort", "81"]).player_port == 81
