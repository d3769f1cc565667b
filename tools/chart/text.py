"""Writes the objects of the chart as the text of templates. No I/O."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, repeat
from typing import Any, Final, NamedTuple

import yaml

from tools.chart.differences import Conditions, Document, Edit, Kind, Path, entries
from tools.chart.expressions import expression, key_of
from tools.chart.insertions import insertions

STEP: Final = "  "


class ExpressionError(ValueError):
    """A rendered text would be an expression of the template."""


class Segment(NamedTuple):
    """Lines under one condition, an operand; an empty one always holds."""

    when: str
    lines: list[str]


def lines_of(documents: Iterable[Document]) -> list[str]:
    """Return the lines of documents, with their separators and conditions."""
    segments = []
    for document in documents:
        body = ["---", *_Writer(document).mapping(document.content, (), document.edits, "")]
        segments.append(Segment(_condition(document.when, document.unless), body))
    return list(_merged(segments))


def data_of(document: Document) -> list[str]:
    """Return the lines of a ConfigMap's data."""
    return list(_Writer(document).mapping(document.content["data"], ("data",), document.edits, ""))


def _condition(when: Sequence[Conditions], unless: Sequence[Conditions]) -> str:
    """Return the condition under which one of `when` holds and none of `unless`; empty if it always holds."""
    parts = [_one_of(when)] if when else []
    parts += [_opposite(_one_of(unless))] if unless else []
    return _joined("and", parts) if parts else ""


def _one_of(conditions: Iterable[Conditions]) -> str:
    return _joined("or", [_joined("and", each) for each in conditions])


def _merged(segments: Iterable[Segment]) -> Iterator[str]:
    """Yield the lines of segments; neighbours with the same condition share it."""
    for when, group in groupby(segments, lambda each: each.when):
        lines = [line for each in group for line in each.lines]
        yield from [f"{{{{- if {_bare(when)} }}}}", *lines, "{{- end }}"] if when else lines


def _opposite(when: str) -> str:
    return when[5:-1] if when.startswith("(not ") else f"(not {when})"


def _wrapped(lines: list[str], when: str) -> list[str]:
    """Return lines within a condition."""
    return [f"{{{{- if {_bare(when)} }}}}", *lines, "{{- end }}"] if when else lines


def _joined(function: str, operands: Sequence[str]) -> str:
    unique = list(dict.fromkeys(operands))
    return unique[0] if len(unique) == 1 else f"({function} {' '.join(unique)})"


def _bare(when: str) -> str:
    """Return a condition without the parentheses that it needs only as an operand."""
    depth = 0
    for index, character in enumerate(when):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and index < len(when) - 1:
            return when
    return when[1:-1] if when.startswith("(") else when


class _Writer:
    def __init__(self, document: Document) -> None:
        self._document = document

    def mapping(self, value: dict[str, Any], path: Path, edits: list[Edit], indent: str) -> Iterator[str]:
        """Yield the lines of the mapping at this path."""
        yield from _merged(self._entry(value, path, key, edits, indent) for key in _keys(value, path, edits))
        yield from insertions(self._document.title, self._document.content, path, indent)

    def _list(self, value: list[Any], path: Path, edits: list[Edit], indent: str) -> Iterator[str]:
        found = entries(value)
        keys = _keys(found, path, edits)
        yield from _merged(self._entry(found, path, key, edits, indent, in_list=True) for key in keys)
        yield from insertions(self._document.title, self._document.content, path, indent)

    def _entry(
        self, holder: dict[str, Any], path: Path, key: str, edits: list[Edit], indent: str, *, in_list: bool = False
    ) -> Segment:
        """Return the lines of one entry, with the alternatives of the choices that set or remove it."""
        place = (*path, key)
        here = [edit for edit in edits if edit.path == place]
        deeper = [edit for edit in edits if edit.path[: len(place)] == place and edit.path != place]

        def written(value: Any, within: list[Edit]) -> list[str]:
            return list(self._value(key, value, place, within, indent, in_list=in_list))

        if not here:
            return Segment("", written(holder[key], deeper))
        groups = _groups(here)
        if key not in holder and len(groups) > 1 and all(_is_container(edit.value) for edit in here):
            parts = [part for edit in here for part in _parts(edit)]
            return Segment(_any(here), written(type(here[0].value)(), [*parts, *deeper]))
        branches = [
            (_any(group), written(group[0].value, _refining(deeper, group)) if group[0].kind is Kind.SET else [])
            for group in groups
        ]
        if key not in holder:
            return _branched(branches, [])
        return _branched(branches, written(holder[key], _others(deeper, here)))

    def _value(
        self, key: str, value: Any, path: Path, edits: list[Edit], indent: str, *, in_list: bool
    ) -> Iterator[str]:
        head = "-" if in_list else f"{_key(key)}:"
        found = expression(self._document.title, path, value)
        if found is not None:
            yield f"{indent}{head} {found}"
        elif isinstance(value, dict):
            inner = list(self.mapping(value, path, edits, indent + STEP))
            yield from _within(indent, head, inner, in_list=in_list, empty="{}")
        elif isinstance(value, list):
            inner = list(self._list(value, path, edits, indent + STEP))
            yield from _within(indent, head, inner, in_list=in_list, empty="[]")
        else:
            yield from _scalar(f"{indent}{head}", value, indent + STEP)


def _keys(value: Iterable[str], path: Path, edits: list[Edit]) -> list[str]:
    """Return the keys of a mapping or a list and those that edits add, in this order."""
    added = [
        edit.path[len(path)] for edit in edits if edit.path[: len(path)] == path and len(edit.path) == len(path) + 1
    ]
    return list(dict.fromkeys([*value, *added]))


def _groups(here: list[Edit]) -> list[list[Edit]]:
    """Return the edits of one place in groups of equal results, the more special choices first."""
    groups: list[list[Edit]] = []
    for edit in sorted(here, key=lambda each: -len(each.lineage)):
        equal = [each for each in groups if (each[0].kind, each[0].value) == (edit.kind, edit.value)]
        if equal:
            equal[0].append(edit)
        else:
            groups.append([edit])
    return groups


def _any(edits: Iterable[Edit]) -> str:
    return _one_of(edit.when for edit in edits)


def _refining(deeper: list[Edit], group: list[Edit]) -> list[Edit]:
    """Return the edits within the value that a group sets."""
    names = {edit.lineage[0] for edit in group}
    return [edit for edit in deeper if names & {*edit.lineage}]


def _others(deeper: list[Edit], here: list[Edit]) -> list[Edit]:
    """Return the edits within the value that no edit of its place replaces."""
    names = {edit.lineage[0] for edit in here}
    return [edit for edit in deeper if not names & {*edit.lineage}]


def _branched(branches: list[tuple[str, list[str]]], otherwise: list[str]) -> Segment:
    """Return the lines of alternatives, and those that apply when none of their conditions holds."""
    if all(lines == otherwise for _, lines in branches):
        return Segment("", otherwise)
    if len(branches) == 1 and not otherwise:
        return Segment(*branches[0])
    if len(branches) == 1 and not branches[0][1]:
        return Segment(_opposite(branches[0][0]), otherwise)
    lines = []
    for keyword, (when, body) in zip(chain(["if"], repeat("else if")), branches, strict=False):
        lines += [f"{{{{- {keyword} {_bare(when)} }}}}", *body]
    return Segment("", [*lines, *(["{{- else }}", *otherwise] if otherwise else []), "{{- end }}"])


def _is_container(value: Any) -> bool:
    return isinstance(value, dict | list)


def _parts(edit: Edit) -> list[Edit]:
    """Return one edit for each entry of a container that an edit sets."""
    return [
        Edit((*edit.path, key), Kind.SET, value, edit.when, edit.lineage) for key, value in entries(edit.value).items()
    ]


def _within(indent: str, head: str, inner: list[str], *, in_list: bool, empty: str) -> Iterator[str]:
    """Yield the lines of a container; those of an entry of a list begin behind its dash."""
    if not inner:
        yield f"{indent}{head} {empty}"
    elif in_list and not inner[0].lstrip().startswith("{{-"):
        yield f"{indent}- {inner[0].lstrip()}"
        yield from inner[1:]
    else:
        yield f"{indent}{head}"
        yield from inner


def _key(key: str) -> str:
    return key_of(key) if key_of(key) != key else _plain(key)


def _scalar(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, str) and "{{" in value:
        raise ExpressionError(f"{value!r} would be an expression of the template")
    if not isinstance(value, str) or "\n" not in value:
        yield f"{head} {_plain(value)}"
        return
    keep = {0: "-", 1: ""}.get(len(value) - len(value.rstrip("\n")), "+")
    yield f"{head} |{keep}"
    for line in value.rstrip("\n").split("\n"):
        yield f"{indent}{line}".rstrip()


def _plain(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return re.sub(r"\n\.\.\.$", "", text.strip())
