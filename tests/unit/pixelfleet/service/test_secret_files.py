"""Secrets in files, named by options, the environment and the config file."""

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
MAX_BYTES = 64 * 1024


class Example(ServiceSettings):
    """One secret of each kind."""

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
    text = str(error.value)
    assert len(text.splitlines()) == 1
    assert SECRET not in text
    return text


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
def test_trailing_line_ends_are_removed(file: Path, content: str) -> None:
    file.write_bytes(content.encode())
    assert token("--token-file", str(file)) == SECRET


def test_spaces_are_part_of_the_secret(file: Path) -> None:
    file.write_text(f" {SECRET} \n")
    assert token("--token-file", str(file)) == f" {SECRET} "


def test_a_file_of_lower_precedence_is_not_read(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV + "TOKEN_FILE", str(tmp_path / "missing"))
    assert token("--token", "other") == "other"
    assert token("--token-file", str(file)) == SECRET
    monkeypatch.setenv(ENV + "TOKEN_FILE", "")
    monkeypatch.setenv(ENV + "TOKEN", "of the environment")
    assert token("--token-file", str(file)) == SECRET
    assert token() == "of the environment"


def test_a_secret_and_its_file_in_one_source_are_refused(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = "--token and --token-file: give only one of them"
    assert refused("--token", SECRET, "--token-file", str(file)) == both
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"token": SECRET, "token_file": str(file)}))
    assert refused("--config", str(config)) == both
    monkeypatch.setenv(ENV + "TOKEN", SECRET)
    monkeypatch.setenv(ENV + "TOKEN_FILE", str(file))
    assert refused() == both


def test_an_unusable_file_is_named(file: Path, tmp_path: Path) -> None:
    assert refused("--token-file", str(tmp_path / "missing")).endswith("missing: No such file or directory")
    assert "directory" in refused("--token-file", str(tmp_path))
    for content, reason in (
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * (MAX_BYTES + 1), f"is larger than {MAX_BYTES} bytes"),
    ):
        file.write_bytes(content)
        assert refused("--token-file", str(file)) == f"--token-file {file}: {reason}"
    file.write_bytes(b"x" * MAX_BYTES)
    assert len(token("--token-file", str(file))) == MAX_BYTES


def test_the_content_of_a_file_is_validated(file: Path) -> None:
    file.write_text("abc")
    assert refused("--token-file", str(file)).startswith("--token: ")


def test_a_path_that_is_not_text_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"token_file": ["x"]}))
    assert refused("--config", str(config)) == "--token-file: must be the path of a file"


def test_a_declared_file_setting_is_not_replaced(file: Path) -> None:
    loaded = load(Example, ["--users", "a:b", "--users-file", str(file)])
    assert loaded.users_file == file
    assert loaded.users == SecretStr("a:b")


def test_the_names_of_secret_files_are_valid() -> None:
    assert names_of(Example) == {*Example.model_fields, "token_file"}
