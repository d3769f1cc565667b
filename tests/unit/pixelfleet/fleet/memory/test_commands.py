"""Property tests: the commands in memory and a real server give the same replies."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pixelfleet.fleet.memory.commands import COMMANDS, run_command
from pixelfleet.fleet.memory.keyspace import Keyspace, RefusedError, UnsupportedCommandError
from pixelfleet.fleet.open import connector
from pixelfleet.fleet.redis.wire import Wire
from tests.unit.pixelfleet.fleet.stores import fresh_prefix

Command = tuple[str, ...]

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
"""Without the explain phase, in which Hypothesis reads files while the loop runs."""
NO_ORDER = {"HGETALL", "SMEMBERS", "SUNION", "SDIFF", "SPOP"}
"""Commands whose replies have no order."""
READS = (
    ("HMGET", "h1", "h2", "a"),
    ("LRANGE", "0", "-1"),
    ("SMEMBERS",),
    ("ZRANGE", "0", "-1", "WITHSCORES"),
    ("XRANGE", "-", "+"),
)
"""Commands that read the whole value of a key, for each type."""
ALL_KEYS = ("h1", "h2", "l1", "l2", "s1", "s2", "z1", "z2", "x1", "x2", "once")

GROUPS = {
    "hashes": ("HDEL", "HGET", "HGETALL", "HINCRBY", "HMGET", "HSET", "HSET", "DEL", "EXISTS"),
    "lists": ("LINDEX", "LLEN", "LPUSH", "LPUSH", "LRANGE", "LREM", "LTRIM", "RPUSH", "RPUSH", "EXISTS"),
    "sets": (
        "SADD",
        "SADD",
        "SCARD",
        "SDIFF",
        "SISMEMBER",
        "SMEMBERS",
        "SPOP",
        "SRANDMEMBER",
        "SREM",
        "SUNION",
        "EXISTS",
    ),
    "sorted sets": ("ZADD", "ZADD", "ZCARD", "ZPOPMIN", "ZRANGE", "ZRANGEBYSCORE", "ZREM", "ZSCORE", "EXISTS"),
    "streams": ("XADD", "XADD", "XADD", "XLEN", "XRANGE", "XREVRANGE", "XTRIM", "DEL", "EXISTS"),
    "times to live": ("DEL", "EXISTS", "EXPIRE", "SADD", "SET", "SREM"),
}
"""Commands for keys of one type. A further test mixes all commands."""

keys = st.sampled_from(("h1", "l1", "s1", "s2", "x1", "z1", "once"))
members = st.sampled_from(("a", "b", "c", "\xe4", "\U0001f600"))
numbers = st.sampled_from(("0", "1", "2", "-1", "-2", "5", "-5"))
ids = st.sampled_from(("0", "1", "1-1", "1-2", "2-0", "3", "5-5", "9", "9-9"))
ends = ids | st.sampled_from(("-", "+", "(1", "(1-1", "(3-0", "(9"))
scores = st.integers(-3, 3).map(str) | st.sampled_from((str(2**53), str(-(2**53)), "1700000000000000"))


def command(name: str, *words: st.SearchStrategy[str] | str) -> st.SearchStrategy[Command]:
    return st.tuples(st.just(name), *(st.just(each) if isinstance(each, str) else each for each in words))


def own(kind: str) -> st.SearchStrategy[str]:
    """Return keys, nearly always of this type and seldom of another."""
    return st.sampled_from((f"{kind}1",) * 16 + (f"{kind}2",) * 6 + ("h1", "z1"))


def more(first: st.SearchStrategy[Command], words: st.SearchStrategy[str], size: int = 3) -> st.SearchStrategy[Command]:
    return st.builds(lambda begun, rest: (*begun, *rest), first, st.lists(words, min_size=1, max_size=size))


pairs = st.lists(st.tuples(members, members), min_size=1, max_size=3)
by_name: dict[str, st.SearchStrategy[Command]] = {
    "DEL": more(command("DEL"), keys),
    "EXISTS": more(command("EXISTS"), keys),
    "EXPIRE": command("EXPIRE", keys, st.sampled_from(("60", "0"))),
    "HDEL": more(command("HDEL", own("h")), members),
    "HGET": command("HGET", own("h"), members),
    "HGETALL": command("HGETALL", own("h")),
    "HINCRBY": command("HINCRBY", own("h"), st.just("count"), numbers),
    "HMGET": more(command("HMGET", own("h")), members),
    "HSET": st.builds(lambda key, fields: ("HSET", key, *(each for pair in fields for each in pair)), own("h"), pairs),
    "LINDEX": command("LINDEX", own("l"), numbers),
    "LLEN": command("LLEN", own("l")),
    "LPUSH": command("LPUSH", own("l"), members),
    "LRANGE": command("LRANGE", own("l"), numbers, numbers),
    "LREM": command("LREM", own("l"), "0", members),
    "LTRIM": command("LTRIM", own("l"), numbers, numbers),
    "RPUSH": command("RPUSH", own("l"), members),
    "SADD": more(command("SADD", own("s")), members),
    "SCARD": command("SCARD", own("s")),
    "SDIFF": more(command("SDIFF", own("s")), own("s"), 2),
    "SET": command("SET", keys | st.just("once"), "1", "NX", "PX", "60000"),
    "SISMEMBER": command("SISMEMBER", own("s"), members),
    "SMEMBERS": command("SMEMBERS", own("s")),
    "SPOP": command("SPOP", own("s"), st.sampled_from(("0", "100"))),
    "SRANDMEMBER": command("SRANDMEMBER", own("s"), st.sampled_from(("0", "2", "100"))),
    "SREM": more(command("SREM", own("s")), members),
    "SUNION": more(command("SUNION"), own("s")),
    "XADD": st.builds(
        lambda limit, key, wanted, field: ("XADD", key, *limit, wanted, field, "v"),
        st.sampled_from(((), ("MAXLEN", "=", "2"), ("MAXLEN", "=", "0"))),
        own("x"),
        ids,
        members,
    ),
    "XLEN": command("XLEN", own("x")),
    "XRANGE": command("XRANGE", own("x"), ends, ends) | command("XRANGE", own("x"), ends, ends, "COUNT", "2"),
    "XREVRANGE": command("XREVRANGE", own("x"), ends, ends) | command("XREVRANGE", own("x"), ends, ends, "COUNT", "2"),
    "XTRIM": command("XTRIM", own("x"), "MINID", ids),
    "ZADD": command("ZADD", own("z"), scores, members)
    | command("ZADD", own("z"), st.sampled_from(("NX", "XX")), scores, members),
    "ZCARD": command("ZCARD", own("z")),
    "ZPOPMIN": command("ZPOPMIN", own("z")),
    "ZRANGE": command("ZRANGE", own("z"), numbers, numbers)
    | command("ZRANGE", own("z"), numbers, numbers, "WITHSCORES"),
    "ZRANGEBYSCORE": command("ZRANGEBYSCORE", own("z"), "-inf", scores, "LIMIT", "0", st.sampled_from(("0", "2", "9"))),
    "ZREM": command("ZREM", own("z"), members),
    "ZSCORE": command("ZSCORE", own("z"), members),
}


def sequences(names: Iterable[str]) -> st.SearchStrategy[list[Command]]:
    return st.lists(st.sampled_from(sorted(names)).flatmap(by_name.__getitem__), min_size=20, max_size=60)


def test_every_command_except_time_is_compared() -> None:
    assert by_name.keys() == COMMANDS.keys() - {"TIME"}


class Memory:
    """The commands in memory, with the replies of a server."""

    def __init__(self, clock: Callable[[], int] = lambda: 0) -> None:
        self.keys = Keyspace(clock)

    def __call__(self, name: str, *words: str | bytes | int) -> Any:
        self.keys.expire()
        arguments = [each if isinstance(each, bytes) else str(each).encode() for each in words]
        try:
            reply = run_command(self.keys, name, arguments)
        except RefusedError as error:
            return str(error).partition(" ")[0]
        return b"OK" if reply is True else reply


def plain(name: str, reply: Any) -> Any:
    """Return a reply without parts that may differ: undefined order, random members, the text of an error."""
    if isinstance(reply, Exception):
        return str(reply).partition(" ")[0]
    if name == "SRANDMEMBER" and isinstance(reply, list):
        return len(reply)
    if name == "XADD" and isinstance(reply, bytes):
        return "an id"
    if name in ("XRANGE", "XREVRANGE") and isinstance(reply, list):
        return [fields for _, fields in reply]
    return sorted(reply) if name in NO_ORDER and isinstance(reply, list) else reply


def prefixed(prefix: str, words: Command) -> Command:
    """Return a command with its keys under a prefix."""
    name, *rest = words
    count = len(rest) if name in ("DEL", "EXISTS", "SDIFF", "SUNION") else 1
    return (name, *(prefix + key for key in rest[:count]), *rest[count:])


async def compare(url: str, sequence: list[Command]) -> None:
    """Run a sequence on both, then read every key as every type, and compare all replies."""
    memory, prefix = Memory(), fresh_prefix()
    reads = [(name, key, *words) for key in ALL_KEYS for name, *words in READS]
    sent = [prefixed(prefix, words) for words in [*sequence, *reads]]
    async with connector(url, calls=True) as connect:
        wire = await Wire.connect(connect(), 5.0)
        try:
            replies = await asyncio.gather(*(wire.call(*words) for words in sent))
        finally:
            wire.close()
    for words, reply in zip(sent, replies, strict=True):
        assert plain(words[0], memory(*words)) == plain(words[0], reply), words


@pytest.mark.parametrize("group", [*GROUPS, "all"])
def test_the_commands_reply_as_a_real_server_does(redis_url: str, group: str) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
    @given(sequence=sequences(GROUPS.get(group, tuple(by_name))))
    def check(sequence: list[Command]) -> None:
        asyncio.run(compare(redis_url, sequence))

    check()


@pytest.mark.parametrize(
    "sequence",
    [
        [("SADD", "s1", "a"), ("SREM", "s1", "a"), ("HSET", "s1", "a", "b")],
        [("ZADD", "z1", "1", "a"), ("ZPOPMIN", "z1"), ("EXISTS", "z1"), ("RPUSH", "z1", "a")],
        [("RPUSH", "l1", "a"), ("LTRIM", "l1", "1", "0"), ("EXISTS", "l1"), ("SADD", "l1", "a")],
        [("HSET", "h1", "a", "b"), ("HDEL", "h1", "a", "b"), ("EXISTS", "h1"), ("LPUSH", "h1", "a")],
        [("SADD", "s1", "a"), ("EXPIRE", "s1", "0"), ("SADD", "s1", "b")],
    ],
    ids=lambda sequence: sequence[1][0],
)
async def test_an_empty_key_does_not_exist(redis_url: str, sequence: list[Command]) -> None:
    await compare(redis_url, sequence)


@pytest.mark.parametrize(
    "words",
    [
        ("GET", "a"),
        ("get", "a"),
        ("FLUSHALL",),
        ("SET", "a", "1"),
        ("SET", "a", "1", "XX", "PX", "1"),
        ("SET", "a", "1", "NX", "EX", "1"),
        ("ZADD", "a", "GT", "1", "b"),
        ("ZADD", "a", "1.5", "b"),
        ("ZADD", "a", "inf", "b"),
        ("ZADD", "a", str(2**53 + 1), "b"),
        ("ZADD", "a", "1", "b", "2", "c"),
        ("ZRANGE", "a", "0", "-1", "REV"),
        ("ZRANGE", "a", "(1", "2"),
        ("ZRANGEBYSCORE", "a", "0", "1", "LIMIT", "0", "1"),
        ("ZRANGEBYSCORE", "a", "-inf", "1"),
        ("ZRANGEBYSCORE", "a", "-inf", "1", "LIMIT", "1", "1"),
        ("LREM", "a", "1", "b"),
        ("SRANDMEMBER", "a", "-1"),
        ("SPOP", "a"),
        ("HSET", "a", "b"),
        ("HGET", "a"),
        ("HINCRBY", "a", "b", "x"),
    ],
    ids=" ".join,
)
def test_an_unsupported_command_is_an_error(words: Command) -> None:
    memory = Memory()
    with pytest.raises(UnsupportedCommandError):
        memory(*words)
    assert memory.keys.names() == [], "it had no effect"


def test_a_key_with_a_time_to_live_lasts_until_then() -> None:
    now = [5_000_000]
    memory = Memory(lambda: now[0])
    memory("SADD", "s", "a")
    memory("EXPIRE", "s", "60")
    assert memory("SET", "once", "1", "NX", "PX", "1500") == b"OK"
    now[0] += 1_499_999
    assert memory("SET", "once", "1", "NX", "PX", "9000") is None
    now[0] += 1
    assert memory("SET", "once", "1", "NX", "PX", "9000") == b"OK"
    now[0] = 64_999_999
    assert memory("EXISTS", "s") == 1
    now[0] += 1
    assert memory("EXISTS", "s", "once") == 0


def test_a_recreated_key_has_no_time_to_live() -> None:
    now = [0]
    memory = Memory(lambda: now[0])
    for again in ("DEL", "SREM"):
        memory("SADD", "s", "a")
        memory("EXPIRE", "s", "1")
        memory(again, "s", *(["a"] if again == "SREM" else []))
        memory("SADD", "s", "a")
        now[0] += 2_000_000
        assert memory("EXISTS", "s") == 1


def test_the_ids_of_a_stream_grow_and_bound_its_ranges() -> None:
    now = [5_000_000]
    memory = Memory(lambda: now[0])
    add = ("XADD", "x", "MAXLEN", "=", "3", "*", "a")
    assert [memory(*add, "1"), memory(*add, "2")] == [b"5000-0", b"5000-1"]
    now[0] -= 1_000_000  # a clock that goes back
    assert memory(*add, "3") == b"5000-2"
    now[0] += 2_000_000
    assert memory(*add, "4") == b"6000-0"

    def ids(*words: str) -> list[bytes]:
        return [entry_id for entry_id, _ in memory("XRANGE", "x", *words)]

    assert ids("-", "+") == [b"5000-1", b"5000-2", b"6000-0"], "the first one is trimmed"
    assert ids("(5000-1", "+") == [b"5000-2", b"6000-0"]
    assert ids("5000-2", "5000") == [b"5000-2"]
    assert ids("(5000-1", "+", "COUNT", "1") == [b"5000-2"]
    assert memory("XREVRANGE", "x", "+", "-", "COUNT", "1") == [[b"6000-0", [b"a", b"4"]]]


def test_time_is_that_of_the_clock() -> None:
    assert Memory(lambda: 1_700_000_000_000_042)("TIME") == [b"1700000000", b"42"]
