"""The `config` message of a legacy server, mended so that every browser accepts it. No I/O."""

from typing import Final

from pixelfleet.protocol.messages import Message, dump
from pixelfleet.protocol.rtc_configuration import mended

FIELD: Final = "peerConnectionOptions"


def mended_config(message: Message, data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return the JSON of a `config` message without what browsers refuse, and the faults; `data` is its JSON.

    A page whose browser refuses the configuration stays black and does not reconnect. A legacy server checks nothing.
    """
    options = message.get(FIELD)
    if options is None:
        return data, ()
    if type(options) is not dict:
        return dump({**message, FIELD: {}}), (f"{FIELD}: must be an object",)
    usable, faults, _ = mended(options)
    return (dump({**message, FIELD: usable}), faults) if faults else (data, ())
