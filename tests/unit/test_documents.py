"""The guides mention only what exists: commands, options, variables, make targets, files, metrics, headings."""

import importlib
import itertools
import re
from pathlib import Path
from typing import Final

import pytest

from pixelfleet.service.catalogue import catalogue, names_of, option_of
from pixelfleet.service.settings import load
from pixelfleet_cli.cli import COMMANDS, WITH_SETTINGS, Tool
from pixelfleet_cli.fleet.tables import COLUMNS
from tests.documents import DOCUMENTS, ROOT, STAND_IN, anchors, commands, inline, links, prose, read

TOOLS: Final = {name: command for name, command in COMMANDS.items() if isinstance(command, Tool)}
TARGETS: Final = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
FOLDERS: Final = (
    "benchmarks",
    "docs",
    "k8s",
    "player",
    "requirements",
    "scripts",
    "services",
    "telemetry",
    "tests",
    "tools",
    "turn",
    "unreal",
)
NOT_CHECKED_IN: Final = ("k8s/overlay", "services/router/page", "tests/interop/dist")
"""Files that commands write."""

OTHERS_OPTIONS: Final = {
    *("--acl", "--aclfile", "--save", "--appendonly"),  # redis-server
    *("--static-auth-secret", "--allowed-peer-ip", "--external-ip", "--cert", "--pkey"),  # coturn
    "--allocation-default-address-family",
    *("--set", "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--scale"),  # helm, kubectl, docker
    *("--seed", "--minutes", "--write", "--check", "--upgrade"),  # make targets of this project
    *("--seconds", "--rest", "--rounds", "--json", "--scenario", "--attacks", "--only", "--full"),
}
OLDER: Final = {"migration.md", "configuration.md"}
"""The page with other servers' options, and the generated page with ours."""

METRIC: Final = re.compile(r"^(?:signalserver|matchmaker|router|turnapi|pixelfleet)_[a-z_]+$|^stream_[a-z_]+$")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to a folder with the files that commands of the guides name."""
    for name in ("cirrus.json", "config.json"):
        (tmp_path / name).write_text("{}")
    for name in ("rest-token", "turn.secret", "link-key", "session-key", "client-secret", "users"):
        (tmp_path / name).write_text(STAND_IN)
    (tmp_path / "webhook-secret").write_text(f"whsec_{STAND_IN}")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_somewhere")
@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_command_in_the_guides_is_accepted(path: Path) -> None:
    for words in commands(read(path)):
        if words[0] == "pixelfleet" and not {"…", "<command>"} & set(words):
            _take(words[1], words[2:])
        elif words[0] == "make":
            _make(words[1:])
        elif words[:2] == ["python", "-m"]:
            assert (ROOT / (words[2].replace(".", "/") + ".py")).is_file(), words


def _take(name: str, arguments: list[str]) -> None:
    assert name.startswith("--") or name in COMMANDS, f"pixelfleet {name}"
    if not arguments or "--help" in (name, *arguments):
        return  # mentioned only
    if name in TOOLS:
        importlib.import_module(TOOLS[name].module)._parser().parse(arguments)
    else:
        load(importlib.import_module(f"{WITH_SETTINGS[name].package}.settings").Settings, arguments)


def _make(words: list[str]) -> None:
    for word in words:
        name, assigned, value = word.partition("=")
        if not assigned:
            assert name in TARGETS or name == "…", f"make {name}"
            continue
        assert re.search(rf"\$\({name}\)", read(ROOT / "Makefile")), f"make has no {name}"
        if name == "ARGS" and words[0] not in ("test", "demo") and value not in ("…", "..."):
            folders = ("benchmarks/**/*.py", "tests/chaos/*.py", "tests/fuzz/*.py", "tests/soak/*.py", "scripts/*")
            sources = [source for folder in folders for source in ROOT.glob(folder)]
            for option in re.findall(r"--[a-z-]+", value):
                assert any(option in read(source) for source in sources), f"make {words[0]}: {option}"


@pytest.mark.parametrize("path", [each for each in DOCUMENTS if each.name not in OLDER], ids=_name)
def test_every_named_option_and_variable_exists(path: Path) -> None:
    fields, variables = _settings()
    for code in inline(read(path)):
        if code.split()[0] in ("helm", "npm", "docker", "kubectl", "htpasswd", "redis-server"):
            continue
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", code):
            known = {option, option.replace("--no-", "--", 1)} & (fields | OTHERS_OPTIONS)
            assert known or option.endswith("-"), f"{option} in `{code}`"
    for variable in re.findall(r"\bPIXELFLEET_[A-Z_]+\b", read(path)):
        assert variable in variables, variable


def _settings() -> tuple[set[str], set[str]]:
    fields, variables = {"--help", "--version"}, {"PIXELFLEET_HEALTH_URL"}
    for command in WITH_SETTINGS.values():
        cls = importlib.import_module(f"{command.package}.settings").Settings
        fields |= {option_of(name) for name in names_of(cls)}
        variables |= {f"{cls.model_config['env_prefix']}{name.upper()}" for name in names_of(cls)}
    for tool in TOOLS.values():
        source = read(ROOT / "services" / f"{tool.module.replace('.', '/')}.py")
        fields |= set(re.findall(r'"(--[a-z-]+)"', source))
        variables |= set(re.findall(r'"(PIXELFLEET_[A-Z_]+)"', source))
    return fields, variables


SECRET_OPTIONS: Final = {
    setting.option
    for command in WITH_SETTINGS.values()
    for setting in catalogue(importlib.import_module(f"{command.package}.settings").Settings).values()
    if setting.secret
} | {"--token", "--static-auth-secret", "--requirepass"}
"""Options whose value is a secret: ours, that of `pixelfleet fleet`, coturn's and Redis's."""


PASSED_TO_CURL: Final = re.compile(r"-H ['\"]?Authorization:|-u ['\"]?[\w-]+:")
"""A secret on curl's command line; `-H @FILE` reads a token from a file, and curl prompts for a password."""


def _secrets_given(words: list[str]) -> list[str]:
    """Return the options with a secret value in a command."""
    given = [word.partition("=")[0] for word in words if "=" in word]
    given += [word for word, value in itertools.pairwise(words) if not value.startswith("-")]
    return [option for option in given if option in SECRET_OPTIONS]


@pytest.mark.parametrize("path", [each for each in DOCUMENTS if each.name not in OLDER], ids=_name)
def test_no_guide_puts_a_secret_on_a_command_line(path: Path) -> None:
    for words in [*commands(read(path)), *(code.split() for code in inline(read(path)))]:
        assert not _secrets_given(words), words
    assert not PASSED_TO_CURL.search(read(path))


@pytest.mark.parametrize("path", [ROOT / "docker-compose.yml", *sorted((ROOT / "k8s").rglob("*.yaml"))], ids=_name)
def test_no_manifest_puts_a_secret_on_a_command_line(path: Path) -> None:
    lines = [line for line in read(path).splitlines() if not line.lstrip().startswith("#")]
    assert not _secrets_given(re.split(r"[\s\"',\[\]]+", "\n".join(lines)))


def test_a_secret_on_a_command_line_is_found() -> None:
    assert {"--session-key", "--redis-url", "--rest-token", "--users", "--secret", "--credential"} <= SECRET_OPTIONS
    assert _secrets_given(["turnserver", "--static-auth-secret=x"]) == ["--static-auth-secret"]
    assert _secrets_given(["pixelfleet", "router", "--rest-token", "x"]) == ["--rest-token"]
    assert _secrets_given(["--rest-token-file", "x", "--rest-token", "--rest-api"]) == []
    assert PASSED_TO_CURL.search('curl -H "Authorization: Bearer $TOKEN" http://x')
    assert PASSED_TO_CURL.search("curl -u ada:secret http://x")
    assert not PASSED_TO_CURL.search("curl -H @authorization -u ada http://x:80")


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_named_file_exists(path: Path) -> None:
    text = read(path)
    words = {word for code in inline(text) for word in code.split()} | {
        word for each in commands(text) for word in each
    }
    for word in sorted(words):
        name = word.strip(",;:").removesuffix("/")
        if not re.fullmatch(rf"({'|'.join(FOLDERS)})(/[\w.*-]+)+", name) or name.startswith(NOT_CHECKED_IN):
            continue
        places = (ROOT, path.parent, ROOT / "services")
        assert any(list(place.glob(name)) for place in places), name


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_link_has_a_target(path: Path) -> None:
    for target in links(read(path)):
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(read(there)), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_named_metric_is_exported_by_a_service(path: Path) -> None:
    sources = "\n".join(read(source) for source in sorted((ROOT / "services").rglob("*.py")))
    for code in inline(read(path)):
        name = code.partition("{")[0]
        if METRIC.match(name):
            shown = name.removesuffix("_total").removesuffix("_bucket")
            assert re.search(rf'"(pixelfleet_)?{shown.removeprefix("pixelfleet_")}"', sources), name


def _tests_named_in(text: str) -> list[str]:
    return [code for code in inline(text) if re.fullmatch(r"test_[a-z0-9_]+", code)]


def test_every_named_test_exists() -> None:
    sources = "\n".join(read(source) for source in sorted((ROOT / "tests").rglob("test_*.py")))
    known = set(re.findall(r"^(?:async )?def (test_\w+)\(", sources, re.MULTILINE))
    assert [name for path in DOCUMENTS for name in _tests_named_in(read(path)) if name not in known] == []


def test_every_row_of_the_threat_model_names_a_test() -> None:
    _, _, model = read(ROOT / "docs" / "how-to" / "security.md").partition("## Threat model")
    rows = [line for line in model.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 15
    assert [row for row in rows if not _tests_named_in(row)] == []


def test_the_parser_finds_commands_code_links_and_anchors() -> None:
    lines = (
        'A=b pixelfleet demo --port "$PORT" | head &',
        'make test ARGS="-k x" \\',
        "  && curl http://x  # `pixelfleet no`",
    )
    text = "\n".join(["```sh", *lines, "```", ""])
    assert list(commands(text)) == [
        ["pixelfleet", "demo", "--port", STAND_IN],
        ["head"],
        ["make", "test", "ARGS=-k x"],
        ["curl", "http://x"],
    ]
    assert anchors("# A *b*, `c_d`: e\n## Who may come in?\n") == {"a-b-c_d-e", "who-may-come-in"}
    assert links("[a](b.md#c) [d](https://e) `[f](g)`")[0] == "b.md#c"
    found = [words[0] for path in DOCUMENTS for words in commands(read(path))]
    assert found.count("pixelfleet") > 25
    assert found.count("make") > 20
    with pytest.raises(Exception, match="--prot"):
        _take("demo", ["--prot", "1"])
    with pytest.raises(AssertionError, match="make tset"):
        _make(["tset"])


GUIDES: Final = [path for path in [*DOCUMENTS, ROOT / "findings" / "README.md"] if path.name != "CODE_OF_CONDUCT.md"]
"""The documents whose language is checked; the code of conduct is a public text."""

MOST_WORDS: Final = 40
MOST_PER_THOUSAND: Final = 1
REPORTING: Final = re.compile(r"\b(?:say|says|said|tell|tells|told)\b", re.IGNORECASE)
"""Verbs of persons, which hide what a program does: it sends, answers, prints, shows or logs."""


def _plain(text: str) -> str:
    """Return a guide's prose with `x` in place of inline code, and each cell of a table as a paragraph."""
    return re.sub(r" *\| *", "\n\n", re.sub(r"`[^`]*`", "x", prose(text)))


def _long_sentences(text: str) -> list[str]:
    sentences = re.split(r"(?<=[.!?])\s+|\n\s*\n", _plain(text))
    return [sentence for sentence in sentences if len(sentence.split()) > MOST_WORDS]


def _reporting_per_thousand(texts: list[str]) -> float:
    plain = " ".join(map(_plain, texts))
    return 1000 * len(REPORTING.findall(plain)) / len(re.findall(r"[A-Za-z']+", plain))


@pytest.mark.parametrize("path", GUIDES, ids=_name)
def test_no_sentence_of_a_guide_is_too_long(path: Path) -> None:
    assert _long_sentences(read(path)) == []


def test_guides_describe_programs_in_the_terms_of_the_field() -> None:
    assert _reporting_per_thousand([read(path) for path in GUIDES]) <= MOST_PER_THOUSAND


def test_the_checks_of_language_find_what_they_look_for() -> None:
    assert {"README.md", "configuration.md", "glossary.md", "CHANGELOG.md", "SECURITY.md"} <= {p.name for p in GUIDES}
    words = f"{'word ' * MOST_WORDS}word"
    assert _long_sentences(f"Short. {words}.\nShort.\n\n{words}\n\n| x | {words} |") == [f"{words}.", words, words]
    assert _long_sentences(f"```sh\n{words}\n```\n`{words} word`\n\n{words[5:]}. {words[5:]}") == []
    assert _reporting_per_thousand(["It says so. `told`\n\n| told |\n", "word " * 1995]) == 1


def test_every_log_event_that_the_tutorial_shows_is_logged() -> None:
    events = re.findall(r"^\[\w+ +\] (.+?) {2,}\[([\w.]+)\]", read(ROOT / "docs" / "tutorial.md"), re.MULTILINE)
    assert events
    for event, module in events:
        assert f'"{event}"' in read(ROOT / "services" / f"{module.replace('.', '/')}.py"), event


def test_every_table_of_the_fleet_that_the_tutorial_shows_has_its_columns() -> None:
    heads = re.findall(r"^ (.+)\n ─+$", read(ROOT / "docs" / "tutorial.md"), re.MULTILINE)
    titles = [tuple(title for title, _ in columns) for columns in COLUMNS.values()]
    assert heads
    for head in heads:
        assert tuple(re.split(r" {2,}", head.strip())) in titles


def test_the_readme_has_the_floor_of_the_coverage() -> None:
    floor = re.search(r"^fail_under = ([\d.]+)$", read(ROOT / "pyproject.toml"), re.MULTILINE)
    assert floor
    assert f"at least {floor[1]} %" in read(ROOT / "README.md")
