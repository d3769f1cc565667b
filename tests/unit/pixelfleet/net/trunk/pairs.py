"""Two ends of a trunk without a network; the test delivers their messages."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from picows import WSMsgType

from pixelfleet.net.trunk.channel import Channel
from pixelfleet.net.trunk.ends import AcceptingTrunk, DiallingTrunk, Trunk

LIMIT = 100
"""The longest message of a channel in these tests, in bytes."""


@dataclass(eq=False)
class User:
    """The user of a channel at one end; answers a close, as a `WebSocket` does."""

    channel: Channel | None = None
    sent: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    broken_by: list[int] = field(default_factory=list)
    ends: int = 0
    fails: bool = False
    closing: bool = False

    def on_ws_connected(self, transport: Channel) -> None:
        assert self.channel is None
        self.channel = transport

    def on_ws_frame(self, transport: Channel, frame: Any) -> None:
        assert self.channel is transport
        assert not self.ends
        if frame.msg_type is WSMsgType.CLOSE:
            self.codes.append(frame.get_close_code())
            if not self.closing:
                transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif self.fails:
            raise RuntimeError("a bug")
        else:
            self.received.append(frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: Channel) -> None:
        assert self.channel is transport
        self.ends += 1

    def broken(self, code: int) -> None:
        self.broken_by.append(code)
        self.close(code)

    def send(self, data: bytes) -> None:
        if self.channel is not None and not self.closing and not self.codes:
            self.sent.append(data)
            self.channel.send(WSMsgType.TEXT, data)

    def close(self, code: int = 1000) -> None:
        if self.channel is not None and not self.closing and not self.codes:
            self.closing = True
            self.channel.send_close(code)

    def apply(self, content: bytes) -> None:
        """Do one step of a property test: close, abort, or send the content."""
        if content == b"close":
            self.close(4000)
        elif content == b"abort":
            self.abort()
        else:
            self.send(content)

    def abort(self) -> None:
        if self.channel is not None:
            self.closing = True
            self.channel.disconnect(graceful=False)


@dataclass(eq=False)
class Opening:
    """A channel that is being opened."""

    user: User = field(default_factory=User)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    message_bytes: int = LIMIT
    give_up: Callable[[], None] = lambda: None
    given_up: bool = False

    def accepted(self) -> User:
        assert not self.refusals
        assert not self.given_up
        return self.user

    def refused(self, status: int, reason: str) -> None:
        assert not self.given_up
        self.refusals.append((status, reason))


class Pair:
    """A trunk between two ends whose messages and calls are delivered by the test."""

    def __init__(self) -> None:
        self.calls: deque[Callable[[], None]] = deque()
        self.there: deque[bytes] = deque()
        self.back: deque[bytes] = deque()
        self.dialler = DiallingTrunk(lambda: self.calls.append(self.flush), self.calls.append, "10.0.0.2")
        self.acceptor = AcceptingTrunk(
            lambda: self.calls.append(self.flush), self.calls.append, "10.0.0.1", self.decide
        )
        self.openings: list[Opening] = []
        self.accepted: dict[int, User] = {}
        self.requests: dict[int, tuple[str, Mapping[str, str]]] = {}
        self.cancelled: list[int] = []
        self.lost = False

    def decide(self, number: int, target: str, headers: Mapping[str, str]) -> Callable[[], object] | None:
        self.requests[number] = (target, headers)
        if target == "/refused":
            self.acceptor.refuse(number, 503, "full")
        elif target == "/later":
            return lambda: self.cancelled.append(number)
        else:
            self.accept(number)
        return None

    def accept(self, number: int) -> None:
        user = User()
        self.acceptor.accept(number, user, LIMIT)
        if user.channel is not None:
            self.accepted[number] = user

    def open(self, target: str = "/") -> Opening:
        opening = Opening()
        self.openings.append(opening)
        opening.give_up = self.dialler.open(target, {"X-Request-ID": str(len(self.openings))}, opening)
        return opening

    def flush(self) -> None:
        if not self.lost:
            self.there += self.dialler.take()
            self.back += self.acceptor.take()

    def deliver(self, queue: deque[bytes], end: Trunk) -> None:
        if queue:
            end.receive(queue.popleft())

    def step(self) -> None:
        if self.calls:
            self.calls.popleft()()

    def settle(self) -> None:
        """Deliver everything."""
        while self.calls or self.there or self.back:
            self.step()
            self.deliver(self.there, self.acceptor)
            self.deliver(self.back, self.dialler)

    def lose(self) -> None:
        self.lost = True
        self.there.clear()
        self.back.clear()
        self.dialler.lose()
        self.acceptor.lose()

    def apply(self, step: str, which: int, content: bytes) -> None:
        """Do one step of a property test with one of the channels."""
        opening = self.openings[which % len(self.openings)] if self.openings else None
        far = self.accepted.get(which + 1)
        match step:
            case "open" | "later" | "refused" if not self.lost:
                self.open("/" if step == "open" else f"/{step}")
            case "give up" if opening is not None and not opening.refusals and opening.user.channel is None:
                opening.given_up = True
                opening.give_up()
            case "decide" if far is None and which + 1 in self.requests and which + 1 not in self.cancelled:
                self.accept(which + 1)
            case "step":
                self.step()
            case "there":
                self.deliver(self.there, self.acceptor)
            case "back":
                self.deliver(self.back, self.dialler)
            case "settle":
                self.settle()
            case "lose" if not self.lost:
                self.lose()
            case "near" if opening is not None:
                opening.user.apply(content)
            case "far" if far is not None:
                far.apply(content)

    def check(self) -> None:
        """Assert that what has arrived is what was sent first, and that nothing ended twice."""
        for number, user in self.accepted.items():
            near = self.openings[number - 1].user
            assert user.received == near.sent[: len(user.received)]
            assert near.received == user.sent[: len(near.received)]
            assert user.ends <= 1
            assert near.ends <= 1
        assert all(len(opening.refusals) <= 1 for opening in self.openings)
