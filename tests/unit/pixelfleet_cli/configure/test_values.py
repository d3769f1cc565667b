from contextlib import suppress
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfleet_cli.configure.values import NAMES, ValuesError, checked, parse

LEAST = {
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
        checked({**LEAST, **values}, {})
    return caught.value.lines


def test_every_name_of_the_older_system_is_taken() -> None:
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
def test_a_line_is_read_as_shells_do(line: str, value: str) -> None:
    assert parse(line) == {"A": value}


def test_every_line_that_is_none_is_told() -> None:
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


def test_all_that_is_missing_or_wrong_is_told_at_once_by_name() -> None:
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
        ("REDIS_URL", "redis.example.com:6379"),
        ("REDIS_URL", "redis://["),
        ("REDIS_URL", "redis://a\nrest-token=known"),
    ],
)
def test_a_value_that_cannot_be_is_told(name: str, value: str) -> None:
    (line,) = wrong(**{name: value})
    assert line.startswith(f"{name}: must ")


HOSTILE: Final = (
    *("a\nkind: Secret", "a\r\nb=c", 'a"', "a'", "a: b", "$(id)", "`id`", "${HOME}", "a;b", "&a", "*", "!!x", "#a"),
    *("a b", "a\u2028b", "a\0", "\ud800", "\U0001f600", "../..", "--x", "a" * 100_000 + "!", "/a" * 50_000 + "!"),
)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"TURN_USER", "TURN_PASS"}))
def test_no_value_can_be_read_as_anything_else(name: str) -> None:
    for value in HOSTILE:
        if name == "TURN_SECRET" and value.isprintable() and " " not in value:
            continue  # any word will do; it is kept as it is
        for given_, environ in (({name: value}, {}), ({}, {name: value})):
            known = {other: text for other, text in LEAST.items() if other != name}
            with pytest.raises(ValuesError) as caught:
                checked({**known, **given_}, environ)
            assert [line.partition(":")[0] for line in caught.value.lines] == [name]


def test_what_the_file_leaves_empty_is_empty() -> None:
    assert checked({**LEAST, "REPO_SECRET": ""}, {"REPO_SECRET": "ours"})["REPO_SECRET"] == ""


def test_values_must_fit_each_other() -> None:
    assert wrong(PROXY_ENABLE="true")[0].startswith("PROXY_AUTH_USERS: is missing")
    assert wrong(DASHBOARD_ENABLE="true")[0].startswith("PROXY_AUTH_USERS: is missing")
    assert wrong(STREAMS_MIN="5", STREAMS_MAX="4")[0].startswith("STREAMS_MAX: must be at least STREAMS_MIN")
    assert wrong(STREAMS_MIN="0")[0].startswith("STREAMS_MIN: must be at least 1 with AUTOSCALING=hpa")
    assert checked({**LEAST, "STREAMS_MIN": "0", "AUTOSCALING": "keda"}, {})["STREAMS_MIN"] == "0"


def test_the_environment_has_what_the_file_lacks() -> None:
    values = checked(
        {**LEAST, "NAMESPACE": "file"}, {"NAMESPACE": "environment", "REPO_SECRET": "ours", "PATH": "/bin"}
    )
    assert values["NAMESPACE"] == "file"
    assert values["REPO_SECRET"] == values["UNREAL_REPO_SECRET"] == "ours"
    assert set(values) == set(NAMES)


def test_a_secret_is_not_told() -> None:
    assert "hunter2" not in str(wrong(TURN_SECRET="hunter2", REDIS_URL="hunter2", PROXY_AUTH_USERS="a:hunter2"))
