"""Finds the name that a misspelled one stands for."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

LIKENESS: Final = 0.7
"""How alike two names must be, from 0 to 1."""


def closest(name: str, names: Iterable[str]) -> str:
    """Return the name that a misspelled one is most like; empty when none is. Leading dashes do not count."""
    whole = {each.lstrip("-"): each for each in names}
    return whole.get(next(iter(get_close_matches(name.lstrip("-").lower(), whole, 1, LIKENESS)), ""), "")
