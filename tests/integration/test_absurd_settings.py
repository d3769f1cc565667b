"""Each setting of each command with absurd values: it runs, or refuses the value in one line with its option."""

import asyncio
import io
import math
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pathlib import Path
from typing import Final, Literal, get_args, get_origin

import pytest

from pixelfleet.service.catalogue import Form, Setting, catalogue, core_type
from pixelfleet.service.errors import UsageError
from pixelfleet.service.lifecycle import new_event_loop
from pixelfleet.service.settings import ServiceSettings, load
from pixelfleet_cli.cli import WITH_SETTINGS, main
from tests.documents import ROOT
from tests.parts import PATIENCE_SECONDS, require_part
from tests.unit.pixelfleet.net.certificates import make_certificate

import_module("ifaddr")
pytestmark = pytest.mark.integration

KEY: Final = "k" * 32
NUMBERS: Final = ("", "x", "-1", "0", "nan", "inf", "-inf", "1e400", "9" * 400)
TEXTS: Final = ("", " ", "x", "ü", "a\nb", "\x7f", "x" * 9000, "{", "[", "[1]", "null", "%", "*")
URLS: Final = (
    "x",
    "://",
    "http://",
    "ws://",
    "ftp://127.0.0.1",
    "redis:",
    "redis://127.0.0.1:x",
    "redis://127.0.0.1/x",
    "http://127.0.0.1:99999",
    "ws://127.0.0.1:99999",
    "http://127.0.0.1:x",
    "ws://127.0.0.1:x",
    "http://[::1",
    "ws://[::1",
    "http://a b/",
    "ws://a b/",
    "http://x\n/",
    "http://user@/",
    "http://127.0.0.1:1/?a#b",
    "ws://127.0.0.1:1/?a#b",
)
LISTS: Final = ("", ",", "x", "[", "[1]", "[null]", "[[]]", "[{}]", '["a\\u0000b"]')
TABLES: Final = ("", "x", "=", "x=", "{", '{"x":null}', '{"x":1e999}', '{"x":-1}', '{"x":{}}', '{"\\u0000":"x"}')

FREE_PORTS: Final = {
    "signalserver": ("player_port", "streamer_port", "sfu_port", "metrics_port"),
    "matchmaker": ("port", "legacy_port", "metrics_port"),
    "router": ("port", "metrics_port"),
    "turn-api": ("port", "metrics_port"),
    "demo": ("port", "streamer_port"),
}
APPS: Final = {name: import_module(f"{command.package}.app") for name, command in WITH_SETTINGS.items()}
"""Imported before the tests: an import inside a running loop would block it."""

COMPANIONS: Final[dict[str, dict[str, str]]] = {
    "router": {"page": "{folder}/page"},
    "demo": {"streamers": "0"},
    "turn-api": {"server": "127.0.0.1", "secret": KEY},
    "turn-check": {"file": "{folder}/ice.json"},
    "configure": {"folder": str(ROOT / "k8s"), "overlay": "{folder}/overlay", "env_file": "{folder}/.env"},
    "streamer": {"url": "ws://127.0.0.1:1"},
    "loadtest": {"url": "ws://127.0.0.1:1", "players": "1", "seconds": "1", "processes": "false", "max_errors": "9"},
    "simulate": {
        "days": "0.01",
        "sync_seconds": "600",
        "scrape_seconds": "600",
        "warm": "1",
        "arrivals_file": "{folder}/arrivals.csv",
    },
}
"""The options of each command, beside its ports, with which it starts."""

OF_SETTINGS: Final[list[tuple[str, dict[str, str]]]] = [
    ("tls_", {"tls_cert": "{folder}/localhost.crt", "tls_key": "{folder}/localhost.key"}),
    ("redirect_port", {"tls_cert": "{folder}/localhost.crt", "tls_key": "{folder}/localhost.key"}),
    ("jwt_", {"auth": "jwt", "jwt_issuer": "http://127.0.0.1:1", "jwt_audience": "x"}),
    ("user_role", {"auth": "basic", "users": "x:$apr1$abcdefgh$0123456789012345678901"}),
    ("users", {"auth": "basic"}),
    ("redis_url", {"session_key": KEY}),
    ("serve", {"http_root": "{folder}/page", "homepage": "index.html"}),
    ("http_root", {"serve": "true"}),
    ("homepage", {"serve": "true", "http_root": "{folder}/page"}),
    ("legacy_", {"legacy_link": "true"}),
]
"""The options that a setting, by the beginning of its name, needs to have an effect."""

NEEDS_A_CLUSTER: Final = ("apply", "delete")
"""Values of `configure --action` that are valid and fail without a cluster."""

REQUIRED: Final = ("NAMESPACE", "REPO", "UNREAL_IMAGE_NAME", "UNREAL_IMAGE_TAG", "INGRESS_HOST")
"""The values without a default of `configure`."""

CASES: Final = [
    pytest.param(name, setting, id=f"{name} {setting.option}")
    for name, command in WITH_SETTINGS.items()
    for setting in catalogue(import_module(f"{command.package}.settings").Settings).values()
]


def _settings_class(name: str) -> type[ServiceSettings]:
    found: type[ServiceSettings] = import_module(f"{WITH_SETTINGS[name].package}.settings").Settings
    return found


def numbers(setting: Setting) -> Iterator[str]:
    """Yield the bounds of a number, and the numbers just outside."""
    yield from NUMBERS
    for limit in setting.field.metadata:
        for bound in ("ge", "gt", "le", "lt"):
            if (value := getattr(limit, bound, None)) is not None:
                yield from (str(value), str(value - 1), str(value + 1), str(math.nextafter(value, -1)))


def absurd_values(setting: Setting, folder: Path) -> Iterator[str]:
    """Yield values that a person could give by mistake, and values of the wrong type."""
    kind = core_type(setting.field.annotation)
    if setting.form is Form.SWITCH:
        yield from ("", "x", "true")
    elif setting.form is Form.LIST:
        yield from (*LISTS, *TEXTS, *URLS)
    elif setting.form is Form.TABLE:
        yield from TABLES
    elif kind in (int, float):
        yield from numbers(setting)
    elif kind is Path:
        yield from (
            "",
            "a\nb",
            "missing",
            str(folder),
            str(folder / "empty"),
            str(folder / "noise"),
            str(folder / "x.json"),
        )
        yield from (str(folder / "empty" / "file"), "x" * 9000)
    elif get_origin(kind) is Literal:
        yield from ("", "x", *map(str, get_args(kind)))
    else:
        yield from (*TEXTS, *URLS)


def companions(name: str, setting: Setting, folder: Path) -> list[str]:
    """Return the options without which a command would not use the setting."""
    options = {"host": "127.0.0.1", **dict.fromkeys(FREE_PORTS.get(name, ()), "0"), **COMPANIONS.get(name, {})}
    if name == "demo" and setting.name in ("width", "height", "fps", "capacity"):
        options["streamers"] = "1"
    for begin, added in OF_SETTINGS:
        if setting.name.startswith(begin):
            options |= {each: value for each, value in added.items() if each in catalogue(_settings_class(name))}
    options.pop(setting.name, None)
    return [f"--{each.replace('_', '-')}={value.format(folder=folder)}" for each, value in options.items()]


def refusal_of(name: str, arguments: list[str]) -> str | None:
    """Return the error of a command that does not start; None when it starts, or when a short command ends."""
    command = WITH_SETTINGS[name]
    app = APPS[name]
    try:
        settings = load(_settings_class(name), arguments)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(app.main(settings) if command.once else started(app.running(settings)))
    except UsageError as error:
        return str(error)
    except BaseExceptionGroup as errors:
        usage, others = errors.split(UsageError)
        if usage is None or others is not None:
            raise
        found: BaseException = usage
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        return str(found)
    return None


async def started(service: AbstractAsyncContextManager[object]) -> int:
    async with asyncio.timeout(PATIENCE_SECONDS), service:
        return 0


@pytest.mark.parametrize(("name", "setting"), CASES)
def test_an_absurd_value_is_refused(
    name: str, setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "configure":
        require_part("kubectl")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-cluster"))  # this machine may have one
    monkeypatch.setattr("sys.stdin", io.StringIO())
    make_certificate(tmp_path)
    (tmp_path / "empty").touch()
    (tmp_path / "arrivals.csv").write_text("0,60\n100,60\n")
    (tmp_path / "noise").write_bytes(b"\x00\xff" * 100)
    (tmp_path / "x.json").write_text("[]")
    (tmp_path / "ice.json").write_text(
        '{"iceServers": [{"urls": "turn:127.0.0.1:59998?transport=tcp", "username": "x", "credential": "x"}]}'
    )
    (tmp_path / ".env").write_text(
        "".join(f"{each}={'x' if each == 'NAMESPACE' else 'x.example'}\n" for each in REQUIRED)
    )
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<!doctype html>")
    wrong = []
    for value in dict.fromkeys(absurd_values(setting, tmp_path)):
        if value in NEEDS_A_CLUSTER:
            continue
        arguments = [*companions(name, setting, tmp_path), f"{setting.option}={value}"]
        try:
            refusal = refusal_of(name, arguments)
        except Exception as error:
            wrong.append(f"{value[:60]!r}: {type(error).__name__}: {str(error)[:200]}")
            continue
        # `configure` lists the values that the file lacks, one in each line.
        lines = 1 if name != "configure" else 100
        if refusal is not None and (setting.option not in refusal or len(refusal.splitlines()) > lines):
            wrong.append(f"{value[:60]!r}: {refusal[:300]!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        *((("fleet", "ls"), option) for option in ("--url", "--token-file", "--token", "--app", "--limit")),
        *((("link",), option) for option in ("--url", "--expires", "--subject", "--app", "--id", "--priority")),
        *((("link",), option) for option in ("--role", "--key-file")),
    ],
)
def test_an_absurd_argument_leaves_one_line(
    command: tuple[str, ...],
    option: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PIXELFLEET_LINK_KEY", KEY)
    (tmp_path / "empty").touch()
    (tmp_path / "arrivals.csv").write_text("0,60\n100,60\n")
    (tmp_path / "noise").write_bytes(b"\x00\xff" * 100)
    others = ["--url=http://127.0.0.1:1"] if command[0] == "fleet" and option != "--url" else []
    for value in (*TEXTS, *URLS, *NUMBERS, str(tmp_path), str(tmp_path / "empty"), str(tmp_path / "noise")):
        code = main([*command, *others, f"{option}={value}"])
        assert code in (0, 2), value
        assert len(capsys.readouterr().err.splitlines()) == (code == 2), value


@pytest.mark.parametrize("value", ["x", "ftp://play.example", "http://", "http://play.example:x", "http://x/#a"])
def test_a_link_to_no_page_is_refused(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIXELFLEET_LINK_KEY", KEY)
    assert main(["link", f"--url={value}"]) == 2
    assert "--url" in capsys.readouterr().err
