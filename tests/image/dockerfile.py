"""Parses the subset of the Dockerfile syntax that is used here."""

import re
from dataclasses import dataclass, field


@dataclass
class Stage:
    """One stage: its base, and its instructions with their arguments on one line."""

    source: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def of(self, instruction: str) -> list[str]:
        return [arguments for name, arguments in self.instructions if name == instruction]


def stages(text: str) -> dict[str, Stage]:
    """Return the stages by name, in order."""
    joined = re.sub(r"\\\n\s*", " ", text)
    made: dict[str, Stage] = {}
    current: Stage | None = None
    for line in joined.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        instruction, _, arguments = line.strip().partition(" ")
        if instruction == "FROM":
            source, _, name = arguments.partition(" AS ")
            current = made.setdefault(name, Stage(source))
        elif current is not None:
            current.instructions.append((instruction, re.sub(r"\s+", " ", arguments).strip()))
    return made
