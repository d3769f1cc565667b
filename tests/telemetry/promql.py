"""Parses PromQL far enough to find the series that an expression reads."""

import re
from typing import Final

_WORDS: Final = {"and", "or", "unless", "bool", "offset"}
_LABEL_LISTS: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_SELECTOR: Final = re.compile(r"(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)\s*(?P<matchers>\{[^}]*\})?(?![\w:])(?!\s*\()")
_STRINGS: Final = re.compile(r'"(?:\\.|[^"\\])*"')
_RANGES: Final = re.compile(r"\[[^\]]*\]")


def selectors(expression: str) -> set[str]:
    """Return the vector selectors of an expression, such as `up{job="turn"}`, without their ranges."""
    strings: list[str] = []

    def keep(found: re.Match[str]) -> str:
        strings.append(found.group())
        return f"\0{len(strings) - 1}\0"

    # Strings may contain brackets and braces, so they are replaced before the rest is parsed.
    text = _RANGES.sub("", _LABEL_LISTS.sub("", _STRINGS.sub(keep, expression)))
    found = set()
    for match in _SELECTOR.finditer(text):
        # A letter after a digit is a duration's unit.
        if match["name"] in _WORDS or text[max(match.start() - 1, 0)].isdigit():
            continue
        matchers = re.sub("\0(\\d+)\0", lambda at: strings[int(at[1])], match["matchers"] or "")
        found.add(match["name"] + matchers)
    return found


def filled_in(expression: str) -> str:
    """Return a dashboard's expression with its variables set to all values."""
    for name, value in (("$__rate_interval", "1m"), ("$namespace", ".*"), ("$app", ".*")):
        expression = expression.replace(name, value)
    return expression
