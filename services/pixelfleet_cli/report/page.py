"""The frame of a report: one HTML page without scripts and without other files. No I/O beside its style sheet."""

from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from typing import Final

STYLE: Final = "page.css"


def document(title: str, sections: Iterable[str]) -> str:
    """Return the page; the sections are HTML."""
    style = files(__package__).joinpath(STYLE).read_text(encoding="utf-8")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{style}</style></head>'
        f"<body><main>{''.join(sections)}</main></body></html>\n"
    )


def header(title: str, lines: Iterable[str], *, met: bool) -> str:
    """Return the head of a report: its title, the answer, and further sentences."""
    answer, *others = (escape(line) for line in lines)
    rest = "".join(f"<p>{line}</p>" for line in others)
    kind = "met" if met else "missed"
    return f'<header><h1>{escape(title)}</h1><p class="answer {kind}">{answer}</p>{rest}</header>'


def tiles(entries: Iterable[tuple[str, str]]) -> str:
    """Return the main figures, each a value with its name."""
    cells = "".join(
        f"<div><strong>{escape(value)}</strong><span>{escape(name)}</span></div>" for value, name in entries
    )
    return f'<section class="tiles">{cells}</section>'


def figure(title: str, body: str, legend: str = "") -> str:
    """Return a chart or a table with its caption; the body and the legend are HTML."""
    return f"<figure><figcaption>{escape(title)}{legend}</figcaption>{body}</figure>"


def legend(entries: Iterable[tuple[str, str]]) -> str:
    """Return the legend of a chart from pairs of a style and a name."""
    found = "".join(f'<span><i class="{style}"></i>{escape(name)}</span>' for style, name in entries)
    return f'<span class="legend">{found}</span>'


def details(title: str, settings: Mapping[str, str], footer: str) -> str:
    """Return the settings of a run, folded up, and the last line of the page."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in settings.items())
    return (
        f"<section><details><summary>{escape(title)}</summary><table>{rows}</table></details>"
        f"<footer>{escape(footer)}</footer></section>"
    )
