"""What the claims of a token mean here. Pure: the token is checked elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pixelfleet.auth.identity import AuthMethod, Identity, InvalidCredentialsError
from pixelfleet.fleet.bounds import MAX_PRIORITY

MAX_NAMES: Final = 64
MAX_NAME_LENGTH: Final = 128


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """Which claims are asked for, and what they choose."""

    required: Mapping[str, Any] = field(default_factory=dict)
    """Claims that must have this value, or have it among their values; None: must be there."""
    app: str = "app"
    priority: str = "priority"
    roles: str = "roles"


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, or by the path to it: `realm_access.roles`; None when it is not there."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def names_of(value: Any) -> tuple[str, ...]:
    """Return the names that a claim lists, as a list or as a text with spaces between them."""
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, list):
        return ()
    return tuple(each for each in value[:MAX_NAMES] if isinstance(each, str) and 0 < len(each) <= MAX_NAME_LENGTH)


def identity_of(claims: Mapping[str, Any], rules: ClaimRules, method: AuthMethod) -> Identity:
    """Return who a token's claims speak of; raise InvalidCredentialsError when one that is required is not there."""
    for name, wanted in rules.required.items():
        value = claim(claims, name)
        if value is None or (wanted is not None and not _has(value, wanted)):
            raise InvalidCredentialsError(f"the claim {name} is not what it must be")
    priority = claim(claims, rules.priority)
    return Identity(
        subject=str(claims.get("sub") or "")[:MAX_NAME_LENGTH],
        method=method,
        roles=frozenset(names_of(claim(claims, rules.roles))),
        apps=names_of(claim(claims, rules.app)),
        priority=min(max(priority, 0), MAX_PRIORITY) if type(priority) is int else None,
    )


def _has(value: Any, wanted: Any) -> bool:
    if isinstance(value, list):
        return any(type(each) is type(wanted) and each == wanted for each in value)
    return type(value) is type(wanted) and bool(value == wanted)
