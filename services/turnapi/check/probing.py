"""Probes STUN and TURN servers as a browser does, and measures the time."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from typing import Final, cast

from aioice import stun, turn

from turnapi.check.plan import REASONS, Probe, Result

MAX_CONCURRENT: Final = 16
"""The maximum number of concurrent probes, so that they do not slow each other down."""

_Address = tuple[str, int]


async def probe_all(probes: Sequence[Probe], seconds: float, tls: ssl.SSLContext | None) -> list[Result]:
    """Run all probes, each for at most `seconds`; return the results in the same order."""
    slots = asyncio.Semaphore(MAX_CONCURRENT)

    async def one(probe: Probe) -> Result:
        async with slots:
            return await _measured(probe, seconds, tls)

    return list(await asyncio.gather(*map(one, probes)))


async def _measured(probe: Probe, seconds: float, tls: ssl.SSLContext | None) -> Result:
    start = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            await (_bind(probe) if probe.transport == "STUN" else _allocate(probe, tls))
    except TimeoutError:
        failure = f"no answer in {seconds:g} s"
    except stun.TransactionFailed as error:
        code = error.response.error_code
        failure = REASONS.get(code or 0, f"refused ({code})")
    except stun.TransactionError:
        failure = "no answer"
    except ssl.SSLCertVerificationError as error:
        failure = f"the certificate is not valid: {error.verify_message}"
    except OSError as error:
        failure = f"unreachable: {error.strerror or type(error).__name__}"
    else:
        failure = ""
    return Result(probe, time.perf_counter() - start, failure)


class _StunClient(asyncio.DatagramProtocol):
    """Sends one binding request and passes the responses to its transaction."""

    request: stun.Message
    transaction: stun.Transaction
    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)  # uvloop's transport is not a subclass

    def send_stun(self, message: stun.Message, addr: _Address) -> None:
        self.transport.sendto(bytes(message))

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if message.transaction_id == self.request.transaction_id and message.message_class != stun.Class.REQUEST:
            self.transaction.response_received(message, (str(addr[0]), addr[1]))

    async def bind(self, address: _Address) -> None:
        """Send a binding request, with retransmissions, until the response."""
        self.request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        self.transaction = stun.Transaction(self.request, address, self)
        await self.transaction.run()


async def _bind(probe: Probe) -> None:
    address = (probe.host, probe.port)
    transport, client = await asyncio.get_running_loop().create_datagram_endpoint(_StunClient, remote_addr=address)
    try:
        await client.bind(address)
    finally:
        transport.close()


async def _allocate(probe: Probe, tls: ssl.SSLContext | None) -> None:
    """Allocate a relay address and release it."""
    transport, closed = await turn.create_turn_endpoint(
        _Closed,
        (probe.host, probe.port),
        probe.username,
        probe.credential,
        ssl=tls if probe.transport == "TLS" else None,
        transport="udp" if probe.transport == "UDP" else "tcp",
    )
    transport.close()
    await closed.event.wait()


class _Closed(asyncio.DatagramProtocol):
    """Sets an event when the allocation is released."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        self.event.set()
