from contextlib import suppress
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet_cli.configure.values import NAMES, ValuesError, checked, parse

REQUIRED = {
    "NAMESPACE": "pixel",
    "REPO": "registry.example.com/pixel",
    "UNREAL_IMAGE_NAME": "game",
    "INGRESS_HOST": "play.example.com",
}

SEED = """\
# kubernetes namespace for pixel streaming
NAMESPACE=pixel
REPO=iad.ocir.io/mytenancy/pixeldemo
REPO_SECRET=
IMAGE_TAG=latest
UNREAL_REPO=iad.ocir.io/mytenancy/pixeldemo
UNREAL_IMAGE_NAME=my-pixelstream
UNREAL_REPO_SECRET=ocirsecret
UNREAL_IMAGE_TAG=latest
INGRESS_HOST=my-pixelstream.192.0.2.1.nip.io
INGRESS_PATH=/game
TURN_USER=userx0000
TURN_PASS=passx1111
PROXY_ENABLE=true
PROXY_PATH_PREFIX=/proxy
PROXY_AUTH_USERS=demo:$apr1$abcdefgh$0123456789abcdefghijkl
"""


def wrong(**values: str) -> list[str]:
    with pytest.raises(ValuesError) as caught:
        checked({**REQUIRED, **values}, {})
    return caught.value.lines


def test_all_names_of_earlier_versions_are_accepted() -> None:
    values = checked(parse(SEED), {})
    assert values["UNREAL_REPO_SECRET"] == "ocirsecret"
    assert values["INGRESS_PATH"] == "/game"
    assert values["PROXY_AUTH_USERS"].startswith("demo:$apr1$")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("  A=b  ", "b"),
        ("export A=b", "b"),
        ('A="b # c"', "b # c"),
        ("A='b'", "b"),
        ("A=b # a comment", "b"),
        ("A=b#c", "b#c"),
        ("A=# a comment", ""),
        ("A=", ""),
        ("A=b=c", "b=c"),
        ('A="open', '"open'),
    ],
)
def test_a_line_is_parsed_as_in_a_shell(line: str, value: str) -> None:
    assert parse(line) == {"A": value}


def test_every_invalid_line_is_reported() -> None:
    with pytest.raises(ValuesError) as caught:
        parse("NAMESPACE pixel\n\n# fine\nA=b\n2=3\n")
    assert caught.value.lines == ["line 1: is not NAME=VALUE", "line 5: is not NAME=VALUE"]


@given(st.text(max_size=200))
def test_any_file_is_read_or_refused(text: str) -> None:
    try:
        values = parse(text)
    except ValuesError:
        return
    with suppress(ValuesError):
        checked(values, {})


def test_all_missing_and_invalid_values_are_reported_together() -> None:
    with pytest.raises(ValuesError) as caught:
        checked({"NAMESPACE": "Pixel_1", "GPU": "two", "FOO": "1", "STREAMS_MIN": "x"}, {})
    assert [line.partition(":")[0] for line in caught.value.lines] == [
        "FOO",
        "NAMESPACE",
        "REPO",
        "UNREAL_IMAGE_NAME",
        "INGRESS_HOST",
        "GPU",
        "STREAMS_MIN",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NAMESPACE", "a" * 64),
        ("NAMESPACE", "kube\nsystem"),
        ("REPO", "https://registry.example.com"),
        ("REPO_SECRET", "UPPER"),
        ("IMAGE_TAG", "a b"),
        ("UNREAL_IMAGE_NAME", "My-Game"),
        ("INGRESS_HOST", "localhost"),
        ("INGRESS_HOST", "https://play.example.com"),
        ("INGRESS_HOST", "192.0.2.10"),
        ("INGRESS_HOST", "a." * 127 + "com"),
        ("INGRESS_PATH", "game"),
        ("INGRESS_PATH", "/.."),
        ("INGRESS_PATH", "/a/../b"),
        ("TRUSTED_PROXIES", "17"),
        ("INGRESS_PATH", "/a b"),
        ("INGRESS_TLS_ISSUER_KIND", "issuer"),
        ("TURN_SECRET", "passx1111"),
        ("TURN_NODE_ADDRESS", "public"),
        ("TURN_PORT", "65536"),
        ("TURN_PORT", "turn"),
        ("TURN_METRICS_PORT", "0"),
        ("TURN_RELAY_PORTS", "49152"),
        ("TURN_RELAY_PORTS", "49152-49200"),
        ("TURN_RELAY_PORTS", "100-2000"),
        ("TURN_RELAY_PORTS", "65000-66000"),
        ("POD_NETWORK", "10.244.0.1/16"),
        ("POD_NETWORK", "fd00::/64"),
        ("POD_NETWORK", "0.0.0.0/0"),
        ("PROXY_ENABLE", "yes"),
        ("PROXY_PATH_PREFIX", "/other"),
        ("PROXY_AUTH_USERS", "demo:plain"),
        ("PROXY_AUTH_USERS", ","),
        ("PROXY_AUTH_USERS", "a\nrest-token=known:$apr1$abcdefgh$0123456789abcdefghijkl"),
        ("DASHBOARD_ENABLE", "1"),
        ("GPU", "mig"),
        ("GPU", "mig-.."),
        ("AUTOSCALING", "both"),
        ("STREAMS_MAX", "-1"),
        ("STREAMS_WARM", "1.5"),
        ("STREAMS_WARM", "\u0661"),
        ("STREAMS_WARM", "9" * 5000),
        ("MONITORING", "push"),
        ("APPS", "Game"),
        ("APPS", "game,game"),
        ("APPS", "game,"),
        ("IMAGE_TAG", "sha256:abc"),
        ("UNREAL_ARGS", "-log 'open"),
        ("UNREAL_ARGS", "-log $(DRAIN_TOKEN)"),
        ("UNREAL_ARGS", "a\nb"),
        ("UNREAL_LABELS", "region"),
        ("UNREAL_LABELS", "region=eu,"),
        ("BRANDING", "a\nb"),
        ("PLAYER_AUTH", "basic"),
        ("JWT_ISSUER", "login.example"),
        ("JWT_ISSUER", "https://login.example:port/"),
        ("JWT_AUDIENCE", "a b"),
        ("LINK_KEY", "too-short"),
        ("PLAYER_LABELS", "region,region"),
        ("REDIS_URL", "redis.example.com:6379"),
        ("REDIS_URL", "redis://["),
        ("REDIS_URL", "redis://a\nrest-token=known"),
    ],
)
def test_an_invalid_value_is_reported(name: str, value: str) -> None:
    (line,) = wrong(**{name: value})
    assert line.startswith(f"{name}: must ")


HOSTILE: Final = (
    *("a\nkind: Secret", "a\r\nb=c", 'a"', "a'", "a: b", "$(id)", "`id`", "${HOME}", "a;b", "&a", "*", "!!x", "#a"),
    *("a b", "a\u2028b", "a\0", "\ud800", "\U0001f600", "../..", "--x", "a" * 100_000 + "!", "/a" * 50_000 + "!"),
)


FREE = {"TURN_USER", "TURN_PASS", "UNREAL_ARGS", "BRANDING"}
"""Names whose values may have special characters."""


@pytest.mark.parametrize("name", sorted(set(NAMES) - FREE))
def test_values_with_special_characters_are_refused(name: str) -> None:
    for value in HOSTILE:
        if name in ("TURN_SECRET", "LINK_KEY") and value.isprintable() and " " not in value:
            continue  # any word is valid
        for file_values, environ in (({name: value}, {}), ({}, {name: value})):
            others = {other: text for other, text in REQUIRED.items() if other != name}
            with pytest.raises(ValuesError) as caught:
                checked({**others, **file_values}, environ)
            assert [line.partition(":")[0] for line in caught.value.lines] == [name]


def test_an_empty_value_in_the_file_overrides_the_environment() -> None:
    assert checked({**REQUIRED, "REPO_SECRET": ""}, {"REPO_SECRET": "ours"})["REPO_SECRET"] == ""


def test_contradicting_values_are_refused() -> None:
    assert wrong(PROXY_ENABLE="true")[0].startswith("PROXY_AUTH_USERS: is missing")
    assert wrong(DASHBOARD_ENABLE="true")[0].startswith("PROXY_AUTH_USERS: is missing")
    assert wrong(STREAMS_MIN="5", STREAMS_MAX="4")[0].startswith("STREAMS_MAX: must be at least STREAMS_MIN")
    assert wrong(STREAMS_MIN="0")[0].startswith("STREAMS_MIN: must be at least 1 with AUTOSCALING=hpa")
    assert checked({**REQUIRED, "STREAMS_MIN": "0", "AUTOSCALING": "keda"}, {})["STREAMS_MIN"] == "0"


def test_each_turn_port_has_one_use_and_browsers_accept_it() -> None:
    assert wrong(TURN_METRICS_PORT="3478") == ["TURN_METRICS_PORT: must differ from TURN_PORT"]
    assert wrong(TURN_RELAY_PORTS="3000-4000") == ["TURN_RELAY_PORTS: must not contain TURN_PORT (3478)"]
    assert wrong(TURN_RELAY_PORTS="9000-9999") == ["TURN_RELAY_PORTS: must not contain TURN_METRICS_PORT (9641)"]
    assert wrong(TURN_PORT="5061")[0].startswith("TURN_PORT: ")
    assert checked({**REQUIRED, "TURN_PORT": "0443"}, {})["TURN_PORT"] == "443"


def test_the_environment_is_used_for_missing_values() -> None:
    values = checked(
        {**REQUIRED, "NAMESPACE": "file"}, {"NAMESPACE": "environment", "REPO_SECRET": "ours", "PATH": "/bin"}
    )
    assert values["NAMESPACE"] == "file"
    assert values["REPO_SECRET"] == values["UNREAL_REPO_SECRET"] == "ours"
    assert set(values) == set(NAMES)


def test_errors_do_not_repeat_secrets() -> None:
    assert "hunter2" not in str(wrong(TURN_SECRET="hunter2", REDIS_URL="hunter2", PROXY_AUTH_USERS="a:hunter2"))


TWO = {"APPS": "game,my-viewer", "GAME_IMAGE": "r.example/game:1.0", "MY_VIEWER_IMAGE": "r.example/viewer:2.0"}
SEVERAL = {**{name: value for name, value in REQUIRED.items() if name != "UNREAL_IMAGE_NAME"}, **TWO}


def test_applications_have_values_of_their_own_and_inherit_the_others() -> None:
    values = checked({**SEVERAL, "GPU": "share", "STREAMS_MAX": "20", "GAME_MAX": "40"}, {"MY_VIEWER_MIN": "2"})
    assert (values["GAME_MAX"], values["MY_VIEWER_MAX"]) == ("40", "20")
    assert values["GAME_GPU"] == values["MY_VIEWER_GPU"] == "share"
    assert (values["GAME_MIN"], values["MY_VIEWER_MIN"]) == ("1", "2")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"GAME_IMAGE": ""}, "GAME_IMAGE: is missing"),
        ({"GAME_IMAGE": "r.example/game"}, "GAME_IMAGE: must be an image with its tag"),
        ({"OTHER_IMAGE": "r.example/game:1"}, "OTHER_IMAGE: is not a known name"),
        ({"GAME_MIN": "5", "GAME_MAX": "4"}, "GAME_MAX: must be at least GAME_MIN"),
        ({"GAME_MIN": "0"}, "GAME_MIN: must be at least 1 with AUTOSCALING=hpa"),
        ({"GAME_CANARY_PERCENT": "100"}, "GAME_CANARY_PERCENT: must be"),
        ({"UNREAL_IMAGE_NAME": "game"}, "UNREAL_IMAGE_NAME: has no effect beside APPS"),
        ({"AUTOSCALING": "hpa-ratio"}, "AUTOSCALING: hpa-ratio follows all"),
        ({"APPS": "game,my-viewer,game-canary", "GAME_CANARY_IMAGE": "r/a:1"}, "APPS: GAME_CANARY_ begins"),
        ({"APPS": "game,my-viewer,unreal"}, "APPS: unreal is the prefix of other names"),
    ],
)
def test_an_invalid_application_is_reported(change: dict[str, str], error: str) -> None:
    with pytest.raises(ValuesError) as caught:
        checked({**SEVERAL, **change}, {})
    assert any(each.startswith(error) for each in caught.value.lines), caught.value.lines


def test_tokens_need_an_issuer_and_an_audience() -> None:
    assert [each.partition(":")[0] for each in wrong(PLAYER_AUTH="jwt")] == ["JWT_ISSUER", "JWT_AUDIENCE"]
