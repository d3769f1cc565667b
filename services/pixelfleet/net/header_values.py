"""The check of the headers that this program writes itself."""

import re
from collections.abc import Mapping
from typing import Final

_VALUE: Final = re.compile(r"[\t -~\x80-\U0010ffff]*")


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise ValueError, without the value, for a header with control characters: a line end would add a header."""
    for name, value in headers.items():
        if _VALUE.fullmatch(value) is None:
            raise ValueError(f"the header {name} has control characters")
