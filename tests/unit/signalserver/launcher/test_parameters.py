import pytest

from signalserver.launcher.parameters import (
    NOT_ALLOWED,
    NOT_VALID,
    launch_parameters_of,
    variables_of,
    words_with,
)

ALLOWED = ("map", "quality")


def test_allowed_parameters_are_taken_and_the_others_are_ignored_with_a_reason() -> None:
    query = {"app": "game", "launch.map": "desert-2", "launch.exec": "quit", "launch.quality": "-high", "map": "x"}
    assert launch_parameters_of(query, ALLOWED) == (
        {"map": "desert-2"},
        {"exec": NOT_ALLOWED, "quality": NOT_VALID},
    )


@pytest.mark.parametrize("value", ["", "-a", "a b", "a;b", "a/../b", "{url}", "a\nb", "x" * 65, "ä"])
def test_a_value_that_could_be_more_than_a_word_is_ignored(value: str) -> None:
    assert launch_parameters_of({"launch.map": value}, ALLOWED) == ({}, {"map": NOT_VALID})


def test_without_allowed_parameters_all_are_ignored() -> None:
    assert launch_parameters_of({"launch.map": "desert"}, ()) == ({}, {"map": NOT_ALLOWED})


def test_words_with_a_parameter_that_a_session_lacks_are_left_out() -> None:
    words = ["Game.sh", "-map={map}", "-both={map}-{quality}", "{other}"]
    assert words_with(words, {"map": "desert"}, ALLOWED) == ["Game.sh", "-map=desert", "{other}"]
    assert words_with(words, {}, ALLOWED) == ["Game.sh", "{other}"]
    launch = {"map": "desert", "quality": "low"}
    assert words_with(words, launch, ALLOWED) == ["Game.sh", "-map=desert", "-both=desert-low", "{other}"]


def test_variables_have_a_prefix_of_their_own() -> None:
    assert variables_of({"map": "desert"}) == {"PIXELFLEET_LAUNCH_MAP": "desert"}
