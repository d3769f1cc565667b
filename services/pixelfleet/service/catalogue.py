"""The settings of a class, each with its option, the form of its value, and its section in help."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from inspect import get_annotations
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pixelfleet.service.values import Placeholder

PLACEHOLDERS: Final[dict[Any, str]] = {
    int: "NUMBER",
    float: "NUMBER",
    str: "TEXT",
    Path: "FILE",
    SecretStr: "SECRET",
    IPv4Network: "NETWORK",
    IPv4Address: "ADDRESS",
}
"""The default placeholders of types."""


OTHER: Final = "Options"
"""The section of settings whose class defines none."""


class Form(Enum):
    """The syntax of a value."""

    PLAIN = "plain"
    SWITCH = "switch"
    LIST = "list"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a class."""

    name: str
    field: FieldInfo
    section: str
    form: Form
    placeholder: str
    """The placeholder of its value, such as `PORT`, `ORIGIN,...` or `info|debug`; empty for a switch."""
    secret: bool
    file_name: str
    """The name of the setting for a file with the value, such as `session_key_file`; empty when there is none."""

    @property
    def shows_value(self) -> bool:
        """Whether an error may repeat the value: free text, such as JSON or a URL, may contain a secret."""
        kind = core_type(self.field.annotation)
        return self.form in (Form.PLAIN, Form.SWITCH) and (kind in (int, float, bool) or get_origin(kind) is Literal)

    @property
    def option(self) -> str:
        """The option, such as `--player-port`."""
        return option_of(self.name)

    @property
    def file_option(self) -> str:
        """The option that names a file with the value; empty when there is none."""
        return option_of(self.file_name) if self.file_name else ""

    @property
    def default(self) -> str:
        """The default as option text; empty when there is none, or when the description explains it."""
        value = self.field.default
        if isinstance(value, bool):
            return "on" if value else ""
        if value is PydanticUndefined or value in (None, "", [], {}):
            return ""
        if isinstance(value, Path) and value.is_absolute():
            return "installed with the package"
        return ",".join(map(str, value)) if isinstance(value, list) else plain_number(value)


def option_of(name: str) -> str:
    """Return the option for a setting's name."""
    return "--" + name.replace("_", "-")


def plain_number(value: object) -> str:
    """Return the text of a value; a whole number has no exponent and no `.0`."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@cache
def catalogue(cls: type[BaseModel]) -> dict[str, Setting]:
    """Return the used settings of a class by name, in the order of help: its own first, then inherited ones."""
    # A redeclared field stays in the section of its base class.
    sections = {name: title for owner in _owners(cls) for name, title in _sections(owner) if title}
    unused: frozenset[str] = getattr(cls, "unused", frozenset())
    found: dict[str, Setting] = {}
    for owner in _owners(cls):
        for name in _own_fields(owner):
            if name not in found and name not in unused:
                found[name] = _setting(cls, name, sections.get(name, OTHER))
    return found


def names_of(cls: type[BaseModel]) -> set[str]:
    """Return all valid names of options, environment variables and keys of the config file."""
    return {*cls.model_fields, *(each.file_name for each in catalogue(cls).values() if each.file_name)}


def by_section(settings: dict[str, Setting]) -> dict[str, list[Setting]]:
    """Return the settings by section, in order."""
    sections: dict[str, list[Setting]] = {}
    for setting in settings.values():
        sections.setdefault(setting.section, []).append(setting)
    return sections


def core_type(annotation: Any) -> Any:
    """Return a type without `Annotated` and `| None`; the first member of a union."""
    if get_origin(annotation) is Annotated:
        return core_type(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return core_type(next(each for each in get_args(annotation) if each is not type(None)))
    return annotation


def metadata_of(annotation: Any) -> Iterator[Any]:
    """Yield the metadata of an `Annotated` type, which may be optional."""
    if get_origin(annotation) is Annotated:
        inner, *added = get_args(annotation)
        yield from metadata_of(inner)
        for each in added:
            yield from each.metadata if isinstance(each, FieldInfo) else (each,)
    elif get_origin(annotation) in (Union, UnionType):
        for each in get_args(annotation):
            yield from metadata_of(each)


def _owners(cls: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the classes that declare settings, the most derived first."""
    return [each for each in cls.__mro__ if issubclass(each, BaseModel) and _own_fields(each)]


def _own_fields(owner: type[BaseModel]) -> list[str]:
    return [name for name in get_annotations(owner) if name in owner.model_fields]


def _sections(owner: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Yield the fields that a class declares with their section; `sections` maps the first field of each to a title."""
    starts = owner.__dict__.get("sections", {})
    section = ""
    for name in _own_fields(owner):
        section = starts.get(name, section)
        yield name, section


def _setting(cls: type[BaseModel], name: str, section: str) -> Setting:
    field = cls.model_fields[name]
    kind = core_type(field.annotation)
    forms = {bool: Form.SWITCH, list: Form.LIST, dict: Form.TABLE}
    form = forms.get(get_origin(kind) or kind, Form.PLAIN)
    secret = kind is SecretStr
    file_name = f"{name}_file"
    return Setting(
        name=name,
        field=field,
        section=section,
        form=form,
        placeholder=_placeholder(kind, [*field.metadata, *metadata_of(field.annotation)]),
        secret=secret,
        file_name=file_name if secret and file_name not in cls.model_fields else "",
    )


def _placeholder(annotation: Any, metadata: list[Any]) -> str:
    own = [each.text for each in (*metadata, *metadata_of(annotation)) if isinstance(each, Placeholder)]
    kind = core_type(annotation)
    match get_origin(kind) or kind:
        case _ if own:
            return own[-1]
        case kind if kind is bool:
            return ""
        case kind if kind is dict:
            return "KEY=VALUE,..."
        case kind if kind is list:
            return f"{_placeholder(get_args(core_type(annotation))[0], [])},..."
        case kind if kind is Literal:
            return "|".join(map(str, get_args(core_type(annotation))))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(each.value) for each in kind)
    return PLACEHOLDERS.get(kind, "VALUE")
