"""The websocket of a trunk, at the end that opens channels."""

import asyncio
from dataclasses import dataclass

import pytest

from pixelfleet.net.dial import DialError
from pixelfleet.net.trunk.connection import DialledTrunk, trunk_bounds
from pixelfleet.net.trunk.frames import ACCEPTED, Unsent
from tests.unit.pixelfleet.net.sockets import FakeSocket


@dataclass(eq=False)
class Socket(FakeSocket):
    """The websocket of a trunk."""

    address: str = "10.0.0.1"


async def test_a_channel_that_opens_in_the_moment_in_which_its_dial_ends_by_time_is_closed() -> None:
    socket = Socket()
    trunk = DialledTrunk(socket.real, lambda _code, _reason: None)
    dial = asyncio.create_task(trunk.dial("/", lambda _: None, trunk_bounds(0.01), headers={}))
    await asyncio.sleep(0)
    opening = trunk._trunk._openings[1]
    async with asyncio.timeout(30):
        while not opening.answer.done():  # type: ignore[attr-defined]  # noqa: ASYNC110 - the task must not run before
            await asyncio.sleep(0)
    accepted = Unsent()
    accepted.add(1, ACCEPTED, b"")
    assert socket.on_control is not None
    socket.on_control(accepted.take()[0])
    with pytest.raises(DialError, match="no answer in time"):
        await dial
    assert len(trunk) == 0, "the player gets a connection of its own, and no second one"
