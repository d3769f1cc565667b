"""Suggestions for misspelled names."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

LIKENESS: Final = 0.7
"""The minimum similarity of a suggestion, from 0 to 1."""


def closest(name: str, names: Iterable[str]) -> str:
    """Return the most similar name, or an empty string. Leading dashes are ignored."""
    whole = {each.lstrip("-"): each for each in names}
    return whole.get(next(iter(get_close_matches(name.lstrip("-").lower(), whole, 1, LIKENESS)), ""), "")
