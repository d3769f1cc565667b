"""Websockets of the doctor: the upgrade, a silent connection, and a player that leaves after the offer."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiohttp
from aiohttp import ClientWebSocketResponse, WSMessage, WSMsgType
from yarl import URL

from pixelfleet.protocol.close_codes import ABNORMAL, NO_STATUS
from pixelfleet.protocol.messages import BadMessageError, dump, parse
from pixelfleet.service.shown import one_line
from pixelfleet_cli.doctor.findings.conversation import Conversation
from pixelfleet_cli.doctor.findings.websocket import Silence, Upgrade
from pixelfleet_cli.doctor.probes.http import NoAnswerError, get, reason_of

MAX_MESSAGE_BYTES: Final = 256 * 1024
FRAMES_AT_ONCE: Final = 256
FRAMES_PER_SECOND: Final = 10
"""A silent websocket is left when the server sends more frames than these; ours sends a few in a minute."""

CLOSE_SECONDS: Final = 2.0
ENDS: Final = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class Frames:
    """The frames of a websocket, up to a number; a server that sends more counts as having closed it."""

    def __init__(self, socket: ClientWebSocketResponse, most: int = FRAMES_AT_ONCE) -> None:
        self._socket = socket
        self._left = most

    async def next(self) -> WSMessage:
        """Return the next frame, after the pong to a ping."""
        if self._left <= 0:
            return WSMessage(WSMsgType.CLOSE, NO_STATUS, "the server sends without end")
        self._left -= 1
        frame = await self._socket.receive()
        if frame.type is WSMsgType.PING:
            await self._socket.pong(frame.data)
        return frame


@asynccontextmanager
async def _opened(
    http: aiohttp.ClientSession, url: URL, origin: str, seconds: float
) -> AsyncIterator[ClientWebSocketResponse]:
    """Yield an open websocket, and close it with 1000 at the end. Raises what aiohttp raises, and TimeoutError."""
    async with asyncio.timeout(seconds):
        socket = await http.ws_connect(
            url,
            origin=origin,
            autoping=False,
            max_msg_size=MAX_MESSAGE_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
        )
    try:
        yield socket
    finally:
        # aiohttp's own limit begins anew with each frame, which a server may send without end.
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await socket.close()


async def upgrade(http: aiohttp.ClientSession, url: URL, origin: str, seconds: float) -> Upgrade:
    """Open a websocket as a page of `origin` does, read its first message, and close it."""
    try:
        async with _opened(http, url, origin, seconds) as socket:
            return await _first_message(socket, seconds)
    except aiohttp.WSServerHandshakeError as error:
        if error.status == 101:
            return Upgrade(broken=one_line(error.message))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return Upgrade(why=reason_of(error))
    # aiohttp has read no body, and the body has the reason.
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Origin": origin,
    }
    try:
        return Upgrade(answer=await get(http, url, headers=headers))
    except NoAnswerError as error:
        return Upgrade(why=str(error))


async def _first_message(socket: ClientWebSocketResponse, seconds: float) -> Upgrade:
    """Return the type of the first message, or the close that comes in its place."""
    try:
        async with asyncio.timeout(seconds):
            frames = Frames(socket)
            while (frame := await frames.next()).type is not WSMsgType.TEXT:
                if frame.type in ENDS:
                    code, reason = _end(frame)
                    return Upgrade(opened=True, close_code=code, close_reason=reason)
        return Upgrade(opened=True, first=str(parse(frame.data.encode())["type"]))
    except TimeoutError:
        return Upgrade(opened=True)
    except BadMessageError:
        return Upgrade(opened=True, close_code=NO_STATUS, close_reason="its first message is not of the protocol")


async def stay_silent(http: aiohttp.ClientSession, url: URL, origin: str, wanted: float, seconds: float) -> Silence:
    """Keep a websocket open for `wanted` seconds and send nothing but pongs. Raises NoAnswerError if it does not open.

    `seconds` limits the time of the upgrade.
    """
    loop = asyncio.get_running_loop()
    keepalives = 0
    try:
        async with _opened(http, url, origin, seconds) as socket:
            start = loop.time()
            frames = Frames(socket, FRAMES_AT_ONCE + int(FRAMES_PER_SECOND * wanted))
            try:
                async with asyncio.timeout(wanted):
                    while (frame := await frames.next()).type not in ENDS:
                        keepalives += frame.type is WSMsgType.PING
            except TimeoutError:
                return Silence(wanted, wanted, keepalives)
            return Silence(wanted, loop.time() - start, keepalives, *_end(frame))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise NoAnswerError(reason_of(error)) from None


async def join(http: aiohttp.ClientSession, url: URL, origin: str, seconds: float) -> tuple[Conversation, int, str]:
    """Join as a player, up to the offer, and leave; return what was learned, and the server's close (0 for none).

    Raises NoAnswerError if the websocket does not open.
    """
    learned = Conversation()
    try:
        async with _opened(http, url, origin, seconds) as socket:
            try:
                frames = Frames(socket)
                async with asyncio.timeout(seconds):
                    while not learned.over:
                        frame = await frames.next()
                        if frame.type in ENDS:
                            return (learned, *_end(frame))
                        await _converse(socket, frame, learned)
            except TimeoutError:
                pass
            return learned, 0, ""
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise NoAnswerError(reason_of(error)) from None


async def _converse(socket: ClientWebSocketResponse, frame: WSMessage, learned: Conversation) -> None:
    if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
        return
    data = frame.data.encode() if isinstance(frame.data, str) else frame.data
    try:
        message = parse(data)
    except BadMessageError:
        return
    for reply in learned.take(message):
        await socket.send_str(dump(reply).decode())


def _end(frame: WSMessage) -> tuple[int, str]:
    """Return code and reason of the end of a websocket."""
    if frame.type is WSMsgType.CLOSE:
        return int(frame.data or NO_STATUS), one_line(str(frame.extra or ""), 120)
    return ABNORMAL, "the connection was cut"
