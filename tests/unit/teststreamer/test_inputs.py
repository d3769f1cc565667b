"""Players' inputs and their labels."""

import pytest

from teststreamer.datachannel_codec import Direction, Value, decode, encode
from teststreamer.inputs import Input, key_name


def made(name: str, *values: Value) -> Input:
    return Input.of(decode(encode(name, *values, direction=Direction.TO_STREAMER)), "101", 12.5)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (65, "A"),
        (48, "0"),
        (32, "Space"),
        (37, "Left"),
        (112, "F1"),
        (96, "Numpad 0"),
        (253, "Right Shift"),
        (3, "key 3"),
    ],
)
def test_keys_have_names(code: int, name: str) -> None:
    assert key_name(code) == name


def test_a_place_is_a_fraction_of_the_picture() -> None:
    click = made("MouseDown", 2, 16384, 49152)
    assert (click.x, click.y) == (0.25, 0.75)
    assert (click.kind, click.player_id, click.at) == ("MouseDown", "101", 12.5)
    assert click.values == {"button": 2, "x": 16384, "y": 49152}


@pytest.mark.parametrize(
    ("seen", "label"),
    [
        (made("MouseDown", 0, 0, 0), "MouseDown left"),
        (made("MouseUp", 2, 0, 0), "MouseUp right"),
        (made("MouseDouble", 9, 0, 0), "MouseDouble 9"),
        (made("KeyDown", 27, 0), "KeyDown Esc"),
        (made("KeyPress", 0x20AC), "KeyPress €"),
        (made("TouchStart", 1, 2, 3, 0, 255, 1), "TouchStart"),
        (made("UIInteraction", '{"a":1}'), 'UIInteraction {"a":1}'),
        (made("GamepadConnected"), "GamepadConnected"),
    ],
)
def test_an_input_says_what_was_done(seen: Input, label: str) -> None:
    assert seen.label == label


def test_only_what_happened_somewhere_has_a_place() -> None:
    key = made("KeyDown", 65, 1)
    assert (key.x, key.y, key.key, key.text) == (None, None, "A", "")
    assert made("Command", "{}").text == "{}"
