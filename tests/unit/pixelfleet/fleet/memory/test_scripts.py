"""Lua in this process behaves as in Redis, or raises an error."""

from collections.abc import Callable
from typing import Any

import pytest
from lupa import lua51

from pixelfleet.fleet.memory import scripts
from pixelfleet.fleet.memory.keyspace import Keyspace, RefusedError, UnsupportedCommandError
from pixelfleet.fleet.redis.scripts import SCRIPTS, library_name

Runs = Callable[..., Any]


@pytest.fixture
def announced() -> list[bytes]:
    return []


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, announced: list[bytes]) -> Runs:
    """Return a function that runs a Lua function body in place of a script."""

    def run(body: str, *arguments: bytes) -> Any:
        library = "\n".join(
            f"redis.register_function{{function_name = '{library_name()}_{name}',"
            f" callback = function(KEYS, ARGV) {body} end}}"
            for name in SCRIPTS
        )
        monkeypatch.setattr(scripts, "LIBRARY", library.encode())
        return scripts.Scripts(Keyspace(lambda: 0), announced.append).run("end", b"key", arguments)

    return run


@pytest.mark.parametrize(
    ("returned", "reply"),
    [
        ("nil", None),
        ("false", None),
        ("true", 1),
        ("3", 3),
        ("3.9", 3),
        ("-3.9", -3),
        ("'text'", b"text"),
        (r"'\0\255'", b"\x00\xff"),
        ("{}", []),
        ("{1, false, {'a', {}}}", [1, None, [b"a", []]]),
        ("ARGV", [b"one", b"two"]),
        ("KEYS[1]", b"key"),
    ],
)
def test_a_returned_value_becomes_a_reply_as_on_redis(runs: Runs, returned: str, reply: Any) -> None:
    assert runs(f"return {returned}", b"one", b"two") == reply


def test_a_nil_is_false_to_a_script(runs: Runs) -> None:
    body = (
        "local t = redis.call('HMGET', 'h', 'a', 'b') return {#t, t[1] == false, redis.call('HGET', 'h', 'a') == false}"
    )
    assert runs(body) == [2, 1, 1]


def test_a_number_in_a_command_is_formatted_as_a_whole_number(runs: Runs) -> None:
    assert runs("redis.call('SADD', 's', 7, 2 ^ 53) return redis.call('SMEMBERS', 's')") == [b"7", b"9007199254740992"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("redis.call('SADD', 's', 1.5)", "1.5"),
        ("redis.call('SADD', 's', true)", "True"),
        ("redis.call('SADD', 's', nil)", "None"),
        ("redis.call('KEYS', '*')", "KEYS"),
        ("redis.call('hget', 'h', 'f')", "hget"),
        ("redis.call('PUBLISH', 'c', 'text')", "PUBLISH"),
        ("cjson.decode('{}')", "{}"),
        ("cjson.decode('[1]')", "1"),
        ("cjson.decode('[')", "["),
    ],
)
def test_an_unsupported_feature_of_redis_is_an_error(runs: Runs, body: str, names: str) -> None:
    with pytest.raises(UnsupportedCommandError) as caught:
        runs(body)
    assert names in str(caught.value)


@pytest.mark.parametrize("body", ["redis.pcall('DEL', 'a')", "redis.status_reply('OK')", "cjson.new()", "bit.bor(1)"])
def test_a_missing_function_is_an_error(runs: Runs, body: str) -> None:
    with pytest.raises(lua51.LuaError, match="nil value"):
        runs(body)


@pytest.mark.parametrize("name", ["io", "os", "debug", "package", "require", "load", "loadfile", "dofile", "python"])
def test_a_script_has_no_access_to_the_process(runs: Runs, name: str) -> None:
    assert runs(f"return {name} == nil") == 1


def test_an_error_of_a_server_is_an_error(runs: Runs) -> None:
    with pytest.raises(RefusedError, match="WRONGTYPE"):
        runs("redis.call('SADD', 'a', 'b') redis.call('HGET', 'a', 'b')")


def test_announcements_go_to_their_channel(runs: Runs, announced: list[bytes]) -> None:
    assert runs("return redis.call('PUBLISH', 'wake:r1', '')") == 0
    assert announced == [b"wake:r1"]


def test_a_list_of_strings_is_decoded(runs: Runs) -> None:
    assert runs("""return cjson.decode('["a", "\\\\u00e4"]')""") == [b"a", "\xe4".encode()]
