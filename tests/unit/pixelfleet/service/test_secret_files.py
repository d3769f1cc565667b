"""Secrets that a file holds: from options, the environment and the config file."""

import json
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pixelfleet.service.catalogue import names_of
from pixelfleet.service.errors import UsageError
from pixelfleet.service.settings import ServiceSettings, load

ENV = "PIXELFLEET_EXAMPLE_"
SECRET = "t0psecret"
MOST = 64 * 1024


class Example(ServiceSettings):
    """Has a secret of each kind."""

    model_config = SettingsConfigDict(env_prefix=ENV)
    command: ClassVar[str] = "example"

    token: SecretStr | None = Field(None, min_length=4, description="A secret.")
    users: SecretStr | None = Field(None, description="A secret whose file is a setting of its own.")
    users_file: Path | None = Field(None, description="That file.")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\n")
    return path


def token(*options: str) -> str:
    secret = load(Example, options).token
    return secret.get_secret_value() if secret else ""


def refused(*options: str) -> str:
    with pytest.raises(UsageError) as error:
        load(Example, options)
    said = str(error.value)
    assert len(said.splitlines()) == 1
    assert SECRET not in said
    return said


def test_an_option_names_the_file(file: Path) -> None:
    assert token("--token-file", str(file)) == token(f"--token-file={file}") == SECRET


def test_the_environment_names_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV + "TOKEN_FILE", str(file))
    assert token() == SECRET
    assert Example().token == SecretStr(SECRET)


def test_the_config_file_names_the_file(file: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"token_file": str(file)}))
    assert token("--config", str(config)) == SECRET


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n", f"{SECRET}\n\n"])
def test_line_ends_behind_the_secret_are_no_part_of_it(file: Path, content: str) -> None:
    file.write_bytes(content.encode())
    assert token("--token-file", str(file)) == SECRET


def test_spaces_are_part_of_it(file: Path) -> None:
    file.write_text(f" {SECRET} \n")
    assert token("--token-file", str(file)) == f" {SECRET} "


def test_the_stronger_place_wins_and_the_weaker_file_is_not_read(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENV + "TOKEN_FILE", str(tmp_path / "missing"))
    assert token("--token", "other") == "other"
    assert token("--token-file", str(file)) == SECRET
    monkeypatch.setenv(ENV + "TOKEN_FILE", "")
    monkeypatch.setenv(ENV + "TOKEN", "of the environment")
    assert token("--token-file", str(file)) == SECRET
    assert token() == "of the environment"


def test_one_place_with_both_is_refused(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = "--token and --token-file: give one of the two"
    assert refused("--token", SECRET, "--token-file", str(file)) == both
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"token": SECRET, "token_file": str(file)}))
    assert refused("--config", str(config)) == both
    monkeypatch.setenv(ENV + "TOKEN", SECRET)
    monkeypatch.setenv(ENV + "TOKEN_FILE", str(file))
    assert refused() == both


def test_a_file_that_cannot_be_used_is_named(file: Path, tmp_path: Path) -> None:
    assert refused("--token-file", str(tmp_path / "missing")).endswith("missing: No such file or directory")
    assert "directory" in refused("--token-file", str(tmp_path))
    for content, why in (
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * (MOST + 1), f"is larger than {MOST} bytes"),
    ):
        file.write_bytes(content)
        assert refused("--token-file", str(file)) == f"--token-file {file}: {why}"
    file.write_bytes(b"x" * MOST)
    assert len(token("--token-file", str(file))) == MOST


def test_the_rules_of_the_secret_hold_for_its_file(file: Path) -> None:
    file.write_text("abc")
    assert refused("--token-file", str(file)).startswith("--token: ")


def test_a_key_that_names_no_file_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"token_file": ["x"]}))
    assert refused("--config", str(config)) == "--token-file: must be the name of a file"


def test_a_secret_whose_file_is_a_setting_keeps_it(file: Path) -> None:
    loaded = load(Example, ["--users", "a:b", "--users-file", str(file)])
    assert loaded.users_file == file
    assert loaded.users == SecretStr("a:b")


def test_every_name_is_known() -> None:
    assert names_of(Example) == {*Example.model_fields, "token_file"}
