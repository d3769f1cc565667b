"""A short fuzz run, and the properties of its generators. The long run is `make fuzz`."""

from collections import Counter
from random import Random
from typing import Final

import msgspec
import orjson
import pytest

from pixelfleet.protocol.messages import SHAPES
from tests.fuzz.attackers import LEAST_HEADS
from tests.fuzz.frames import Frames, Then
from tests.fuzz.heads import Heads
from tests.fuzz.messages import USUAL, Messages, World
from tests.fuzz.run import KNOCKERS, fuzz
from tests.fuzz.switchboard import Drive
from tests.parts import PATIENCE_SECONDS

SEED: Final = 1
"""Of the short run. `make fuzz` draws a seed and prints it."""


def frames(seed: int, role: str = "player") -> Frames:
    random = Random(seed)
    return Frames(random, Messages(random, role, World()), 262_144)


def test_the_same_seed_makes_the_same_bytes() -> None:
    first, second, other = frames(1), frames(1), frames(2)
    bursts = [first.burst() for _ in range(500)]
    assert bursts == [second.burst() for _ in range(500)]
    assert bursts != [other.burst() for _ in range(500)]
    assert [Heads(Random(1)).head() for _ in range(9)] == [Heads(Random(1)).head() for _ in range(9)]


@pytest.mark.parametrize("role", sorted(USUAL))
def test_every_type_of_message_is_generated_valid_and_invalid(role: str) -> None:
    messages = Messages(Random(1), role, World())
    right = Counter(orjson.loads(messages.any_type())["type"] for _ in range(1_000))
    assert set(right) == set(SHAPES)
    wrong = Counter(str(orjson.loads(messages.wrong_field())["type"]) for _ in range(1_000))
    assert set(wrong) > {kind for kind, shape in SHAPES.items() if msgspec.structs.fields(shape)}


def test_every_kind_of_burst_is_generated() -> None:
    made = frames(1)
    bursts = [made.burst() for _ in range(20_000)]
    kinds = {burst.kind for burst in bursts}
    assert kinds >= {"text", "binary", "fragments", "orphaned fragment", "bad opcode", "unmasked", "bad close"}
    assert kinds >= {"oversized", "oversized fragments", "reserved bits", "garbage", "cut off", "unfinished"}
    assert {burst.then for burst in bursts} == set(Then)
    assert all(burst.frames >= 1 and burst.data for burst in bursts)


def test_the_switchboard_withstands_any_input() -> None:
    for seed in range(6):
        try:
            Drive(seed).run(10_000)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error


@pytest.mark.integration
async def test_the_server_withstands_any_input_and_the_pair_loses_nothing() -> None:
    outcome = await fuzz(20_000, SEED, max_seconds=4 * PATIENCE_SECONDS)
    assert not outcome.problems, "\n".join(outcome.lines())
    assert outcome.tally.frames >= 20_000
    assert outcome.tally.heads >= KNOCKERS * LEAST_HEADS
    # The number depends on the machine; that it is not zero shows that the run reached the rules.
    assert outcome.received > 0
    assert outcome.exchanged > 0
