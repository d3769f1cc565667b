"""Players' inputs as the streamer records them, and their labels in the picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from teststreamer.datachannel_codec import DataMessage, Value

FULL_SCALE: Final = 65536
"""Positions arrive as 16-bit fractions of the picture's width and height."""

BUTTONS: Final = ("left", "middle", "right", "back", "forward")

KEYS: Final[Mapping[int, str]] = MappingProxyType(
    {
        8: "Backspace",
        9: "Tab",
        13: "Enter",
        16: "Shift",
        17: "Ctrl",
        18: "Alt",
        19: "Pause",
        20: "CapsLock",
        27: "Esc",
        32: "Space",
        33: "PageUp",
        34: "PageDown",
        35: "End",
        36: "Home",
        37: "Left",
        38: "Up",
        39: "Right",
        40: "Down",
        44: "PrintScreen",
        45: "Insert",
        46: "Delete",
        91: "Meta",
        92: "Right Meta",
        93: "Menu",
        **{96 + digit: f"Numpad {digit}" for digit in range(10)},
        106: "Numpad *",
        107: "Numpad +",
        109: "Numpad -",
        110: "Numpad .",
        111: "Numpad /",
        **{111 + number: f"F{number}" for number in range(1, 13)},
        144: "NumLock",
        145: "ScrollLock",
        173: "-",
        186: ";",
        187: "=",
        188: ",",
        189: "-",
        190: ".",
        191: "/",
        192: "`",
        219: "[",
        220: "\\",
        221: "]",
        222: "'",
        253: "Right Shift",
        254: "Right Ctrl",
        255: "Right Alt",
    }
)
"""Names of key codes (`KeyboardEvent.keyCode`, and codes of the frontend library for the right-hand keys)."""


def key_name(code: int) -> str:
    """Return a key's name; letters and digits are their own names."""
    if 48 <= code <= 57 or 65 <= code <= 90:
        return chr(code)
    return KEYS.get(code, f"key {code}")


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a player.

    `kind` is the message's name (`MouseDown`, `KeyDown`, `UIInteraction`, …), `values` its fields by name, and `at`
    the Unix time in seconds when it arrived. `x` and `y` are its position in the picture, 0 to 1 across and down, or
    None for an input without one.
    """

    kind: str
    player_id: str
    at: float
    values: Mapping[str, Value]
    x: float | None = None
    y: float | None = None

    @classmethod
    def of(cls, message: DataMessage, player_id: str, at: float) -> "Input":
        """Return the input that a message describes; `at` is Unix time in seconds."""
        x, y = message.values.get("x"), message.values.get("y")
        if isinstance(x, int) and isinstance(y, int):
            return cls(message.name, player_id, at, message.values, x / FULL_SCALE, y / FULL_SCALE)
        return cls(message.name, player_id, at, message.values)

    @property
    def text(self) -> str:
        """The text of a UIInteraction, Command or TextboxEntry, else an empty text."""
        return str(self.values.get("text", ""))

    @property
    def key(self) -> str:
        """The name of the key of a KeyDown or KeyUp, the character of a KeyPress, else an empty text."""
        if "key" in self.values:
            return key_name(int(self.values["key"]))
        return chr(int(self.values["character"])) if "character" in self.values else ""

    @property
    def label(self) -> str:
        """A short description of the input for the picture."""
        if self.kind in ("MouseDown", "MouseUp", "MouseDouble"):
            button = int(self.values["button"])
            return f"{self.kind} {BUTTONS[button] if button < len(BUTTONS) else button}"
        return " ".join(filter(None, (self.kind, self.key or self.text[:64])))
