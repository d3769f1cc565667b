"""The two ends of a trunk: one opens channels, the other one decides on the requests for them. No I/O."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol, cast

import msgspec
from picows import WSMsgType

from pixelfleet.net.trunk.channel import Channel, Listener
from pixelfleet.net.trunk.frames import ACCEPTED, END, MAX_NUMBER, OPEN, REFUSED, TrunkError, Unsent, frames

MAX_CHANNELS: Final = 65_536
"""The channels of one trunk; further ones are refused with 503."""

_OPCODES: Final = {cast("int", kind): kind for kind in WSMsgType}
_REQUEST: Final = msgspec.json.Decoder(tuple[str, dict[str, str]])


class Opening(Protocol):
    """A request for a channel that is not answered yet. One of its methods is called, once."""

    message_bytes: int
    """The longest message that the other side may send."""

    def accepted(self) -> Listener:
        """Return the user of the new channel."""

    def refused(self, status: int, reason: str) -> None:
        """Handle a refusal with an HTTP status, or the loss of the trunk with status 0."""


class Trunk:
    """One end of a trunk: its channels, and the frames to send."""

    def __init__(self, schedule: Callable[[], None], soon: Callable[[Callable[[], None]], None], address: str) -> None:
        """`schedule` has `take` called soon, after the first frame that is to be sent.

        `soon` calls a function later, never at once: no user of a channel is called while it ends the channel.
        """
        self.address = address
        """The IP address of the other side."""
        self._schedule = schedule
        self._soon = soon
        self._channels: dict[int, Channel] = {}
        self._unsent = Unsent()
        self._lost = False

    def __len__(self) -> int:
        """The number of channels."""
        return len(self._channels)

    def send(self, number: int, kind: int, content: bytes = b"") -> None:
        """Add a frame to those to send."""
        if self._lost:
            return
        if not self._unsent:
            self._schedule()
        self._unsent.add(number, kind, content)

    def take(self) -> list[bytes]:
        """Return the messages to send."""
        return self._unsent.take()

    def receive(self, data: bytes) -> None:
        """Handle one message of the other side; raise TrunkError if it breaks the rules."""
        for number, kind, content in frames(data):
            opcode = _OPCODES.get(kind)
            if opcode is None:
                self._control(number, kind, content)
            elif (channel := self._channels.get(number)) is not None:  # otherwise it has ended here
                channel.receive(opcode, content)

    def lose(self) -> None:
        """End all channels: the trunk has closed."""
        self._lost = True
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            channel.ended()

    def end(self, number: int, *, silent: bool) -> None:
        """End a channel of this side; `silent` if the other side knows of it."""
        channel = self._channels.pop(number, None)
        if channel is None:
            return
        if not silent:
            self.send(number, END)
        self._soon(channel.ended)

    def _control(self, number: int, kind: int, content: bytes) -> None:
        if kind != END:
            raise TrunkError(f"unexpected frame of kind {kind}")
        if (channel := self._channels.pop(number, None)) is not None:
            channel.ended()

    def _add(self, number: int, listener: Listener, message_bytes: int) -> None:
        channel = self._channels[number] = Channel(self, number, listener, message_bytes)
        channel.connected()


class DiallingTrunk(Trunk):
    """The end that opens channels."""

    def __init__(self, schedule: Callable[[], None], soon: Callable[[Callable[[], None]], None], address: str) -> None:
        super().__init__(schedule, soon, address)
        self._openings: dict[int, Opening] = {}
        self._last = 0

    def __len__(self) -> int:
        """The number of channels, those that are being opened included."""
        return len(self._channels) + len(self._openings)

    @property
    def has_room(self) -> bool:
        """Whether a further channel can be opened."""
        return not self._lost and len(self) < MAX_CHANNELS and self._last < MAX_NUMBER

    def open(self, target: str, headers: Mapping[str, str], opening: Opening) -> Callable[[], None]:
        """Request a channel for a request target such as `/?id=a`; return a function that gives it up."""
        self._last += 1
        number = self._last
        self._openings[number] = opening
        self.send(number, OPEN, msgspec.json.encode((target, headers)))

        def give_up() -> None:
            if self._openings.pop(number, None) is not None:
                self.send(number, END)

        return give_up

    def lose(self) -> None:
        """End all channels, and fail those that are being opened."""
        super().lose()
        openings, self._openings = self._openings, {}
        for opening in openings.values():
            opening.refused(0, "the trunk was lost")

    def _control(self, number: int, kind: int, content: bytes) -> None:
        if kind not in (ACCEPTED, REFUSED):
            super()._control(number, kind, content)
        elif (opening := self._openings.pop(number, None)) is None:
            return  # given up; the other side learns of it
        elif kind == ACCEPTED:
            self._add(number, opening.accepted(), opening.message_bytes)
        else:
            opening.refused(int.from_bytes(content[:2]), content[2:].decode("utf-8", "replace"))


class AcceptingTrunk(Trunk):
    """The end that decides on requests for channels."""

    def __init__(
        self,
        schedule: Callable[[], None],
        soon: Callable[[Callable[[], None]], None],
        address: str,
        decide: Callable[[int, str, Mapping[str, str]], Callable[[], object] | None],
    ) -> None:
        """`decide` calls `accept` or `refuse` for the number, or returns a function that cancels the decision."""
        super().__init__(schedule, soon, address)
        self._decide = decide
        self._undecided: dict[int, Callable[[], object] | None] = {}
        self._last = 0

    def accept(self, number: int, listener: Listener, message_bytes: int) -> None:
        """Open a requested channel."""
        if not self._lost and self._undecided.pop(number, False) is not False:
            self.send(number, ACCEPTED)
            self._add(number, listener, message_bytes)

    def refuse(self, number: int, status: int, reason: str) -> None:
        """Refuse a requested channel with an HTTP status."""
        if self._undecided.pop(number, False) is not False:
            self.send(number, REFUSED, status.to_bytes(2) + reason.encode())

    def lose(self) -> None:
        """End all channels, and cancel all decisions."""
        super().lose()
        undecided, self._undecided = self._undecided, {}
        for cancel in undecided.values():
            if cancel is not None:
                cancel()

    def _control(self, number: int, kind: int, content: bytes) -> None:
        if kind == OPEN:
            self._open(number, content)
        elif kind == END and number in self._undecided:
            if (cancel := self._undecided.pop(number)) is not None:
                cancel()
        else:
            super()._control(number, kind, content)

    def _open(self, number: int, content: bytes) -> None:
        if number <= self._last:
            raise TrunkError("the number of a channel was used before")
        self._last = number
        try:
            target, headers = _REQUEST.decode(content)
        except msgspec.DecodeError:
            raise TrunkError("the request for a channel cannot be read") from None
        self._undecided[number] = None
        if len(self._channels) + len(self._undecided) > MAX_CHANNELS:
            self.refuse(number, 503, "too many players on one trunk")
            return
        cancel = self._decide(number, target, headers)
        if number in self._undecided:
            self._undecided[number] = cancel
