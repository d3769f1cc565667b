"""The answer of a webhook to the warning of a session. No I/O."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from pixelfleet.net.extension import MAX_EXTENSION_SECONDS


class WarningAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """The answer of a webhook to `session.warning`; further fields are ignored."""

    extend_seconds: Annotated[float, Meta(ge=0, le=MAX_EXTENSION_SECONDS)] = 0.0
    """The session may last longer by this time."""


_decode: Final = msgspec.json.Decoder(WarningAnswer).decode


def extension_of(body: bytes) -> float | None:
    """Return the seconds by which an answer extends a session; None if it does not, or is no JSON object.

    Raises ValueError for seconds that are not in range.
    """
    if not body.lstrip().startswith(b"{"):
        return None
    try:
        return _decode(body).extend_seconds or None
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
