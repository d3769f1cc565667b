"""Generates malformed heads of HTTP requests, and some that are cut off."""

from random import Random
from typing import Final

from tests.fuzz.wire import UPGRADE

ENDLESS: Final = b"GET / HTTP/1.1\r\n" + b"X-Filler: " + b"y" * 4_000 + b"\r\n"

NO_HTTP: Final[tuple[bytes, ...]] = (
    *(b"\r\n\r\n", b"\n\n", b"\0" * 20, b"\x80" * 40, b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/0.9\r\n\r\n"),
    *(b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"SSH-2.0-x\r\n\r\n", b": x\r\n\r\n"),
    *(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"z" * 60 + b"\r\n\r\n"),
)

LINES: Final[tuple[bytes, ...]] = (
    *(b"BREW / HTTP/1.1", b"OPTIONS * HTTP/1.1", b"CONNECT a:1 HTTP/1.1", b"HEAD /livez HTTP/1.1", b"GET  /  HTTP/1.1"),
    *(
        b"GET http://[::1/ HTTP/1.1",
        b"GET //[ HTTP/1.1",
        b"GET /%ff%00%2e%2e/ HTTP/1.1",
        b"GET /api/players/%F0%9F HTTP/1.1",
    ),
    *(
        b"POST /api/drain HTTP/1.1",
        b"DELETE /api/players/101 HTTP/1.1",
        b"GET /drain?wait=1 HTTP/1.1",
        b"GET /../x HTTP/1.1",
    ),
    *(b"GET /" + b"a" * 9_000 + b" HTTP/1.1", b"GET /livez HTTP/1.1", b"GET /api/status HTTP/1.1"),
)

REST: Final[tuple[bytes, ...]] = (
    *(b"Host: x\r\n\r\n", b"\r\n", b"Host: [\r\n\r\n", b"Host: x\r\n folded\r\n\r\n", b"Host: a:99999999\r\n\r\n"),
    *(b"Host: x\r\nContent-Length: 99999999\r\n\r\nabc", b"Host: x\r\nContent-Length: -1\r\n\r\n"),
    b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n",
    b"Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"Host: x\r\nAuthorization: Bearer \xff\r\nOrigin: \xff\r\n\r\n",
    b"Host: x\r\n" + b"A: b\r\n" * 200 + b"\r\n",
    b"Host: x\r\n\r\n" + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 50,
    b"Host: x\r\n\r\n" + UPGRADE,
)

FIELDS: Final[tuple[bytes, ...]] = (
    *(b"Sec-WebSocket-Version: 12", b"Sec-WebSocket-Version: \xff", b"Sec-WebSocket-Version: 13, 8", b"Origin: null"),
    *(b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Key: \xff", b"Sec-WebSocket-Key:", b"Sec-WebSocket-Key: AAAA"),
    *(
        b"Connection: close",
        b"Connection: keep-alive, Upgrade",
        b"Connection:",
        b"Upgrade: h2c",
        b"Upgrade: websocket, x",
    ),
    *(b"Authorization: Bearer \xff\xfe", b"Authorization: Basic eDp5", b"X-Forwarded-For: , ,x", b"Content-Length: 7"),
    *(b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"Sec-WebSocket-Extensions: permessage-deflate; x=\xff"),
    *(b"Cookie: " + b"c" * 3_000, b"no colon", b": no name", b"bad name: x", b"X: \0", b"X: a\rb", b" folded: x"),
)

TARGETS: Final[tuple[bytes, ...]] = (
    *(
        b"/?session=a.b.c",
        b"/?session=%ff",
        b"/?" + b"a=b&" * 200,
        b"/?OfferToReceive=true",
        b"/?session=" + b"e" * 6_000,
    ),
    *(
        b"//[",
        b"/%00",
        b"*",
        b"http://x/",
        b"/\xff\xfe",
        b"",
        b"/?token=%ff",
        b"/?%",
        b"/a b",
        b"/?session=eyJhbGciOiJub25lIn0.e30.",
    ),
)


class Heads:
    """Generates heads; the same random source gives the same heads."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def head(self) -> bytes:
        """Return a complete head; an answer or a close must follow, at the latest after the handshake timeout."""
        choice = self._random.randrange(5)
        if choice == 0:
            return self._random.choice(NO_HTTP)
        if choice == 1:
            return self._random.choice(LINES) + b"\r\n" + self._random.choice(REST)
        if choice == 2:
            return self._odd_upgrade()
        if choice == 3:
            return self._broken_upgrade()
        return self._random.randbytes(self._random.randrange(1, 300))

    def half(self) -> bytes:
        """Return the beginning of a head that never ends."""
        choice = self._random.randrange(4)
        if choice == 0:
            return b""
        if choice == 1:
            return UPGRADE[: self._random.randrange(1, len(UPGRADE) - 1)]
        if choice == 2:
            return b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * self._random.randrange(100)
        return ENDLESS * self._random.randrange(1, 7)

    def _odd_upgrade(self) -> bytes:
        lines = UPGRADE.rstrip(b"\r\n").split(b"\r\n")
        if self._random.random() < 0.5:
            lines[0] = b"GET " + self._random.choice(TARGETS) + b" HTTP/1.1"
        if self._random.random() < 0.3:
            del lines[self._random.randrange(len(lines))]
        for _ in range(self._random.randrange(3)):
            field = self._random.choice(FIELDS)
            name = field.partition(b":")[0]
            if self._random.random() < 0.7:
                lines = [line for line in lines if not line.startswith(name)]
            lines.append(field)
        return b"\r\n".join(lines) + b"\r\n\r\n" + self._random.choice((b"", b"", b"\x81\x80\0\0\0\0", UPGRADE))

    def _broken_upgrade(self) -> bytes:
        data = bytearray(UPGRADE)
        for _ in range(self._random.randrange(1, 4)):
            data[self._random.randrange(len(data))] = self._random.randrange(256)
        return bytes(data)
