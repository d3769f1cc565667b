"""The launch parameters of a session: what a player's URL may set of the application's start. No I/O."""

import re
from collections.abc import Collection, Mapping
from typing import Final

PREFIX: Final = "launch."
"""The beginning of the names of query parameters, as in `launch.map=desert`."""

VARIABLE: Final = "PIXELFLEET_LAUNCH_"
"""The beginning of the names of the application's variables, as in `PIXELFLEET_LAUNCH_MAP`."""

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")

VALUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""A value begins with a letter or digit, so that it is no option, and contains no separator."""

NOT_ALLOWED: Final = "it is not in --launch-parameters"
NOT_VALID: Final = "the value is not valid"


def launch_parameters_of(query: Mapping[str, str], allowed: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the allowed launch parameters of a query, and why each of the others is ignored, both by name."""
    launch, ignored = {}, {}
    for key, value in query.items():
        if not key.startswith(PREFIX):
            continue
        name = key.removeprefix(PREFIX)
        if name not in allowed:
            ignored[name[:32]] = NOT_ALLOWED
        elif not VALUE.fullmatch(value):
            ignored[name] = NOT_VALID
        else:
            launch[name] = value
    return launch, ignored


def words_with(words: Collection[str], launch: Mapping[str, str], allowed: Collection[str]) -> list[str]:
    """Return the words of a command line with the values in place of `{name}`.

    A word with a parameter that the session does not have is left out.
    """
    found = []
    for word in words:
        names = [name for name in allowed if f"{{{name}}}" in word]
        if all(name in launch for name in names):
            for name in names:
                word = word.replace(f"{{{name}}}", launch[name])  # noqa: PLW2901 - one word, value after value
            found.append(word)
    return found


def variables_of(launch: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the application's environment."""
    return {VARIABLE + name.upper(): value for name, value in launch.items()}
