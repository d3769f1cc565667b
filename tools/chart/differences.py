"""The differences between renderings: the objects of the chart, and the edits of each under a condition. No I/O."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import takewhile
from typing import Any

from tools.chart.choices import Choice

Path = tuple[str, ...]
"""Keys from the top of an object. An entry of a list is named by its `name`, or by its index where it has none."""

Conditions = tuple[str, ...]
"""Operands of which all must hold."""

Object = dict[str, Any]
Rendering = Mapping[str, Object]


class Kind(StrEnum):
    """What an edit does with the value at its path."""

    SET = "set"
    REMOVE = "remove"


@dataclass(frozen=True)
class Edit:
    """A change of one value under the condition of a choice."""

    path: Path
    kind: Kind
    value: Any
    when: Conditions
    lineage: tuple[str, ...]
    """The names of the choice and of those that it refines, the most special first."""


@dataclass
class Document:
    """One object of the chart."""

    title: str
    content: Object
    when: list[Conditions]
    """Conditions of which one must hold; none if the object is always there."""
    choice: str
    """The choice that adds it; empty for BASE."""
    unless: list[Conditions] = field(default_factory=list)
    """Conditions of which none may hold."""
    edits: list[Edit] = field(default_factory=list)


def documents_of(
    renderings: Mapping[str, Rendering], choices: Iterable[Choice], lineage: Callable[[str], list[Choice]]
) -> list[Document]:
    """Return the objects of all choices with their edits, from the renderings by the name of each choice."""
    documents = [Document(title, content, [], "") for title, content in renderings[""].items()]
    for choice in choices:
        before, after = renderings[choice.over], renderings[choice.name]
        refined = lineage(choice.name)
        names = tuple(each.name for each in refined)
        for title, content in after.items():
            if title not in before:
                _add(documents, Document(title, content, [_conditions(refined)], choice.name))
            else:
                document = _of(documents, title, names)
                found = edits(before[title], content, _conditions(refined, document.choice), names)
                document.edits += [edit for edit in found if not _is_known(edit, document)]
        for title in before.keys() - after.keys():
            document = _of(documents, title, names)
            document.unless.append(_conditions(refined, document.choice))
    return documents


def _conditions(refined: list[Choice], known: str = "") -> Conditions:
    """Return the conditions of a choice and of those that it refines, up to one whose condition is known to hold."""
    found = list(takewhile(lambda each: each.name != known, refined))
    return tuple(dict.fromkeys(each.when for each in reversed(found)))


def edits(old: Any, new: Any, when: Conditions, lineage: tuple[str, ...], path: Path = ()) -> Iterator[Edit]:
    """Yield the edits that turn one value into another."""
    if old == new:
        return
    before, after = _entries(old), _entries(new)
    if before is None or after is None or not _is_aligned(old, new, before, after):
        yield Edit(path, Kind.SET, new, when, lineage)
        return
    for key in before.keys() - after.keys():
        yield Edit((*path, key), Kind.REMOVE, None, when, lineage)
    for key, value in after.items():
        if key in before:
            yield from edits(before[key], value, when, lineage, (*path, key))
        else:
            yield Edit((*path, key), Kind.SET, value, when, lineage)


def entries(value: Any) -> dict[str, Any]:
    """Return the entries of a mapping or a list by the keys of a path."""
    found = _entries(value)
    assert found is not None
    return found


def _entries(value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return None
    names = [str(each.get("name", "")) if isinstance(each, dict) else "" for each in value]
    if all(names) and len(set(names)) == len(names):
        return dict(zip(names, value, strict=True))
    return {str(index): each for index, each in enumerate(value)}


def _is_aligned(old: Any, new: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether equal keys mean the same entry; an index does so only while entries are appended."""
    if isinstance(old, dict) or isinstance(new, dict):
        return isinstance(old, dict) and isinstance(new, dict)
    by_name = not {*before, *after} & {str(index) for index in range(max(len(old), len(new)))}
    return by_name or len(old) == len(new) or new[: len(old)] == old


def _add(documents: list[Document], document: Document) -> None:
    for known in documents:
        if (known.title, known.content) == (document.title, document.content):
            known.when += document.when
            return
    documents.append(document)


def _of(documents: list[Document], title: str, names: tuple[str, ...]) -> Document:
    """Return the document that a choice edits: of the nearest choice that it refines, or of BASE."""
    found = {each.choice: each for each in documents if each.title == title}
    return next(found[name] for name in (*names, "") if name in found)


def _is_known(edit: Edit, document: Document) -> bool:
    """Return whether another choice makes the same change under the same conditions or fewer."""
    return any(
        (edit.path, edit.kind, edit.value) == (each.path, each.kind, each.value) and {*each.when} <= {*edit.when}
        for each in document.edits
    )
