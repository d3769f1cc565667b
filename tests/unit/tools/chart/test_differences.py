from typing import Any

import pytest

from tools.chart.choices import Choice
from tools.chart.differences import Document, Edit, Kind, documents_of, edits
from tools.chart.text import ExpressionError, lines_of

RED, BIG, DARK = Choice("red", "$red"), Choice("big", "$big"), Choice("dark", "$dark", over="red")
LINEAGE = {"red": [RED], "big": [BIG], "dark": [DARK, RED]}


def thing(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a"}, **spec}


def documents(base: dict[str, Any], **choices: dict[str, Any]) -> list[Document]:
    """Return the documents of one object, or of none for an empty one, for the choices red, big and dark."""
    given = {"": base, **choices}
    renderings = {name: {"Thing/a": each} if each else {} for name, each in given.items()}
    return documents_of(renderings, [each for each in (RED, BIG, DARK) if each.name in choices], LINEAGE.__getitem__)


def text(*found: Document) -> str:
    return "\n".join(line for line in lines_of(found) if line not in ("---", "metadata:", "  name: a"))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 2}, [(("a",), Kind.SET, 2)]),
        ({"a": 1}, {}, [(("a",), Kind.REMOVE, None)]),
        (
            [{"name": "x", "v": 1}],
            [{"name": "y"}, {"name": "x", "v": 2}],
            [(("y",), Kind.SET, {"name": "y"}), (("x", "v"), Kind.SET, 2)],
        ),
        ([1], [1, 2], [(("1",), Kind.SET, 2)]),
        ([1, 2], [2], [((), Kind.SET, [2])]),
        ({"a": [1]}, {"a": {"b": 1}}, [(("a",), Kind.SET, {"b": 1})]),
    ],
)
def test_edits_turn_one_value_into_another(old: Any, new: Any, expected: list[Any]) -> None:
    assert [(each.path, each.kind, each.value) for each in edits(old, new, ("$red",), ("red",))] == expected


def test_an_added_and_a_removed_value_are_conditional() -> None:
    found = documents(thing(size=1), red=thing(size=1, colour="red"), big=thing())
    assert text(*found) == "{{- if not $big }}\nsize: 1\n{{- end }}\n{{- if $red }}\ncolour: red\n{{- end }}"


def test_of_two_changes_of_a_value_the_first_choice_wins() -> None:
    found = documents(thing(size=1), red=thing(size=2), big=thing(size=3))
    assert text(*found) == "{{- if $red }}\nsize: 2\n{{- else if $big }}\nsize: 3\n{{- else }}\nsize: 1\n{{- end }}"


def test_the_same_change_of_two_choices_has_one_condition() -> None:
    found = documents(thing(), red=thing(size=2), big=thing(size=2))
    assert text(*found) == "{{- if or $red $big }}\nsize: 2\n{{- end }}"


def test_lists_that_two_choices_add_are_united() -> None:
    found = documents(thing(), red=thing(volumes=[{"name": "x"}]), big=thing(volumes=[{"name": "y"}]))
    assert text(*found) == (
        "{{- if or $red $big }}\nvolumes:\n{{- if $red }}\n  - name: x\n{{- end }}\n"
        "{{- if $big }}\n  - name: y\n{{- end }}\n{{- end }}"
    )


def test_a_choice_that_refines_another_is_tested_first() -> None:
    found = documents(thing(size=1), red=thing(size=2), dark=thing(size=3))
    assert text(*found) == (
        "{{- if and $red $dark }}\nsize: 3\n{{- else if $red }}\nsize: 2\n{{- else }}\nsize: 1\n{{- end }}"
    )


def test_within_an_object_of_a_choice_its_condition_is_not_repeated() -> None:
    found = documents({}, red=thing(size=1), dark=thing(size=2))
    assert text(*found) == "{{- if $red }}\n{{- if $dark }}\nsize: 2\n{{- else }}\nsize: 1\n{{- end }}\n{{- end }}"


def test_an_object_that_a_choice_removes_is_conditional() -> None:
    assert text(*documents(thing(size=1), red={})) == "{{- if not $red }}\nsize: 1\n{{- end }}"


def test_a_text_that_would_be_an_expression_is_refused() -> None:
    with pytest.raises(ExpressionError):
        text(*documents(thing(name="{{ a }}")))


def test_a_text_of_several_lines_keeps_its_end() -> None:
    found = documents(thing(a="x\n\ny", b="x\ny\n"))
    assert text(*found) == "a: |-\n  x\n\n  y\nb: |\n  x\n  y"


def test_an_edit_knows_the_choices_that_it_refines() -> None:
    (document,) = documents(thing(size=1), red=thing(size=2), dark=thing(size=3))
    assert document.edits[-1] == Edit(("size",), Kind.SET, 3, ("$red", "$dark"), ("dark", "red"))
