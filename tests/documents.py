"""Parses the guides for tests: their commands, inline code and links."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
DOCUMENTS: Final = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *(ROOT / folder / "README.md" for folder in ("player", "unreal"))]
)

_FENCE: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
_INDENTED: Final = re.compile(r"^    (?P<text>[a-z].*)$", re.MULTILINE)
_INLINE: Final = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_EXPANSION: Final = re.compile(r"\$\([^)]*\)|\$\{?\w+\}?")
_ASSIGNMENT: Final = re.compile(r"[A-Z][A-Z_]*=.*", re.DOTALL)

STAND_IN: Final = "x" * 40
"""The value of each shell variable: long enough for a key."""


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Return a document without its code blocks."""
    return _FENCE.sub("", text)


def inline(text: str) -> list[str]:
    """Return the inline code of a document."""
    return [" ".join(code.split()) for code in _INLINE.findall(prose(text))]


def commands(text: str) -> Iterator[list[str]]:
    """Yield the commands of a document as lists of words, without leading variable assignments."""
    blocks = [found["text"] for found in _FENCE.finditer(text) if found["language"] == "sh"]
    blocks += [found["text"] for found in _INDENTED.finditer(prose(text)) if found["text"].startswith("pixelfleet ")]
    blocks += [code for code in inline(text) if re.match(r"(make|pixelfleet) [a-z-]", code)]
    for block in blocks:
        for line in block.replace("\\\n", " ").splitlines():
            yield from _split(_EXPANSION.sub(STAND_IN, line))


def _split(line: str) -> Iterator[list[str]]:
    words: list[str] = []
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    for word in [*lexer, ";"]:
        if not set(word) <= set("|&;<>"):
            words.append(word)
            continue
        while words and _ASSIGNMENT.fullmatch(words[0]):
            words.pop(0)
        if words:
            yield words
        words = []


def links(text: str) -> list[str]:
    """Return the targets of links within this tree."""
    return [target for target in _LINK.findall(prose(text)) if "://" not in target]


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings."""
    titles = [re.sub(r"[`*]", "", title) for title in _HEADING.findall(prose(text))]
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}
