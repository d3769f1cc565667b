"""What the hostile client does, one attack at a time, each until it is cancelled. All loads are bounded.

Attacks on the queue come from ADDRESSES addresses, because the limits of one address would end them at once. The others
come from ONE. Every invented name contains MARK.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Final

import orjson

from tests.soak.sockets import Client, frame

MARK: Final = "bogus"
ADDRESSES: Final = 64
ONE: Final = "203.0.113.66"
PAUSE_SECONDS: Final = 0.025
"""The pause between two connections of an attack that opens many."""


@dataclass(frozen=True)
class Targets:
    """The ports of the fleet."""

    router: int
    matchmakers: list[int]
    legacy: list[int]
    signalservers: list[int]
    metrics: list[int]


Attack = Callable[[Client, Targets], Awaitable[None]]


def address(number: int) -> str:
    """Return one of the addresses of the hostile client."""
    return f"198.51.100.{number % ADDRESSES}"


async def _join(client: Client, targets: Targets, number: int, query: str, at_most: int) -> None:
    """Join through one of the matchmakers; above `at_most` connections, leave with the oldest."""
    ports = targets.matchmakers
    await client.websocket(ports[number % len(ports)], f"/?{query}", address(number))
    client.forget_ended()
    while len(client.connections) > at_most:
        client.connections.pop(0).abort()
    await asyncio.sleep(PAUSE_SECONDS)


async def names(client: Client, targets: Targets) -> None:
    """Join with one invented application after the other, and leave soon."""
    for number in count():
        await _join(client, targets, number, f"app={MARK}-{number}", 8)


async def labels(client: Client, targets: Targets) -> None:
    """Join with invented applications in falling order, and stay for some seconds, in which metrics are read."""
    for number in count():
        await _join(client, targets, number, f"app={MARK}-{99_999 - number}", 120)


async def demand(client: Client, targets: Targets) -> None:
    """Wait with twenty sockets for applications that do not exist."""
    for number in range(20):
        await _join(client, targets, number, f"app={MARK}-nonsense-{number}", 20)
    await asyncio.Event().wait()


async def unserved(client: Client, targets: Targets) -> None:
    """Wait for streamers and labels that do not exist."""
    for number in range(40):
        query = f"id={MARK}-{number}" if number % 2 else f"region={MARK}-{number}"
        await _join(client, targets, number, query, 40)
    await asyncio.Event().wait()


async def messages(client: Client, targets: Targets) -> None:
    """Send as much as a waiting player can: many messages, one that is too long, and frames that never end."""
    small, large = frame(b'{"type":"x","x":"%s"}' % (b"x" * 1000)), frame(b"x" * 250_000)
    unfinished = frame(b"x" * 250_000, announced=250_001)
    for number in count():
        await _join(client, targets, number, f"id={MARK}-{number}", 200)
        if client.connections:
            client.connections[-1].send((small * 7, small * 7 + unfinished, large, unfinished)[number % 4])


async def holds(client: Client, targets: Targets) -> None:
    """Take streamers from one address, answer pings, and never negotiate."""
    ports = [*targets.matchmakers, targets.router]
    for number in count():
        if len(client.connections) < 64:
            port = ports[number % len(ports)]
            await client.websocket(port, "/ws", ONE)
        client.forget_ended()
        await asyncio.sleep(PAUSE_SECONDS)


async def lines(client: Client, targets: Targets) -> None:
    """Cause lines of logs, which nobody reads at that time."""
    for number in count():
        ports = targets.signalservers
        await client.websocket(ports[number % len(ports)], f"/?session={MARK}", ONE)
        await _join(client, targets, number, f"id={MARK}", 2)


async def silent(client: Client, targets: Targets) -> None:
    """Open connections to all ports, send nothing or half a request, and open those again that are closed."""
    ports = [*targets.metrics, targets.router, *targets.matchmakers]
    for number in count():
        if len(client.connections) < 300:
            connection = await client.watched(ports[number % len(ports)])
            if connection is not None and number % 2:
                connection.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
        else:
            await asyncio.sleep(PAUSE_SECONDS)
        client.forget_ended()


async def unread(client: Client, targets: Targets) -> None:
    """Ask for many files on twenty connections, and read nothing."""
    request = f"GET /assets/large.js HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {ONE}\r\n\r\n".encode() * 100
    for _ in range(20):
        connection = await client.tcp(targets.router, limit=1024)
        if connection is not None:
            connection.send(request)
    await asyncio.Event().wait()


async def bodies(client: Client, targets: Targets) -> None:
    """Announce bodies on 258 connections and send none of them."""
    paths = (f"/proxy/{MARK}/x", "/api/v1/apps", "/dashboard/api/v1/apps")
    for number in count():
        if len(client.connections) < 258:
            connection = await client.watched(targets.router)
            if connection is not None:
                head = f"POST {paths[number % 3]} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {ONE}\r\n"
                connection.send(f"{head}X-Pixelfleet-Action: 1\r\nContent-Length: 65536\r\n\r\n".encode())
        else:
            await asyncio.sleep(PAUSE_SECONDS)
        client.forget_ended()


async def links(client: Client, targets: Targets) -> None:
    """Write 65,000 connect messages on one link of a legacy server, each with another address; then on a new one.

    The servers are not ready: those that may use the port are trusted to offer streamers.
    """
    for number in count():
        connection = await client.watched(targets.legacy[number % len(targets.legacy)])
        for sent in range(65_000):
            if connection is None or connection.ended:
                break
            host = f"10.{sent >> 16}.{sent >> 8 & 255}.{sent & 255}"
            connection.send(orjson.dumps({"type": "connect", "address": host, "port": 80, "ready": False}))
            if not sent % 100:
                with suppress(OSError):
                    await connection.writer.drain()
        client.forget_ended()
        await asyncio.sleep(10 * PAUSE_SECONDS)


ATTACKS: Final[Mapping[str, Attack]] = {
    "names": names,
    "labels": labels,
    "demand": demand,
    "unserved": unserved,
    "messages": messages,
    "holds": holds,
    "lines": lines,
    "silent": silent,
    "unread": unread,
    "bodies": bodies,
    "links": links,
}
"""The attacks by name, in the order of a round."""
