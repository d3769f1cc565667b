"""Tries a STUN or TURN server as a browser would, and measures how long it takes."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from typing import Final, cast

from aioice import stun, turn

from turnapi.check.plan import Probe, Result

AT_ONCE: Final = 16
"""Probes under way at a time, so that none is slow because of the others."""

REASONS: Final = {
    401: "refused (401): expired or wrong credentials; compare the secret with coturn's, and the clocks",
    403: "refused (403): forbidden",
    486: "refused (486): the quota of allocations is used up",
    508: "refused (508): no relay port is free",
}

_Address = tuple[str, int]


async def probe_all(probes: Sequence[Probe], seconds: float, tls: ssl.SSLContext | None) -> list[Result]:
    """Try every probe, for at most so many seconds each; return the results in the same order."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(probe: Probe) -> Result:
        async with room:
            return await _measured(probe, seconds, tls)

    return list(await asyncio.gather(*map(one, probes)))


async def _measured(probe: Probe, seconds: float, tls: ssl.SSLContext | None) -> Result:
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            await (_ask(probe) if probe.way == "STUN" else _allocate(probe, tls))
    except TimeoutError:
        failure = f"no answer in {seconds:g} s"
    except stun.TransactionFailed as error:
        code = error.response.error_code
        failure = REASONS.get(code or 0, f"refused ({code})")
    except stun.TransactionError:
        failure = "no answer"
    except ssl.SSLCertVerificationError as error:
        failure = f"the certificate does not do: {error.verify_message}"
    except OSError as error:
        failure = f"not reached: {error.strerror or type(error).__name__}"
    else:
        failure = ""
    return Result(probe, time.perf_counter() - begun, failure)


class _StunClient(asyncio.DatagramProtocol):
    """Sends one request and hands its transaction what comes back."""

    request: stun.Message
    transaction: stun.Transaction
    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)  # uvloop's are no subclass

    def send_stun(self, message: stun.Message, addr: _Address) -> None:
        self.transport.sendto(bytes(message))

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if message.transaction_id == self.request.transaction_id and message.message_class != stun.Class.REQUEST:
            self.transaction.response_received(message, (str(addr[0]), addr[1]))

    async def ask(self, address: _Address) -> None:
        """Ask for our own address, and again while no answer comes."""
        self.request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        self.transaction = stun.Transaction(self.request, address, self)
        await self.transaction.run()


async def _ask(probe: Probe) -> None:
    address = (probe.host, probe.port)
    transport, client = await asyncio.get_running_loop().create_datagram_endpoint(_StunClient, remote_addr=address)
    try:
        await client.ask(address)
    finally:
        transport.close()


async def _allocate(probe: Probe, tls: ssl.SSLContext | None) -> None:
    """Take a relay address and give it back."""
    transport, closed = await turn.create_turn_endpoint(
        _Closed,
        (probe.host, probe.port),
        probe.username,
        probe.credential,
        ssl=tls if probe.way == "TLS" else None,
        transport="udp" if probe.way == "UDP" else "tcp",
    )
    transport.close()
    await closed.event.wait()


class _Closed(asyncio.DatagramProtocol):
    """Knows when the allocation is gone."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        self.event.set()
