"""The hostile client in a process of its own: `python -m tests.soak.hostile TARGETS`.

TARGETS is JSON. Each line of stdin names the attack to do from now on; an unknown name ends the last one. After each
attack a line of JSON has the counts of its outcomes.
"""

import asyncio
import os
import sys
from contextlib import suppress
from typing import Final

import msgspec
import orjson
import uvloop

from tests.soak.attacks import ATTACKS, Targets
from tests.soak.sockets import Client

NICE: Final = 10
"""The priority below that of the services: the client stands for another machine, and should not take their CPU."""


async def _attack(name: str, targets: Targets) -> None:
    client = Client()
    try:
        with client.connected():
            await ATTACKS[name](client, targets)
    finally:
        sys.stdout.write(orjson.dumps(dict(client.tally)).decode() + "\n")
        sys.stdout.flush()


async def main(targets: Targets) -> None:
    """Do what stdin says, until it ends."""
    os.nice(NICE)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    task: asyncio.Task[None] | None = None
    async for line in lines:
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        name = line.decode().strip()
        task = asyncio.create_task(_attack(name, targets)) if name in ATTACKS else None


if __name__ == "__main__":
    uvloop.run(main(msgspec.json.decode(sys.argv[1], type=Targets)))
