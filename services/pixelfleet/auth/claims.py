"""Maps the claims of a verified token to an identity. No I/O; the token is verified elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pixelfleet.auth.identity import AuthMethod, Identity, InvalidCredentialsError
from pixelfleet.fleet.bounds import MAX_PRIORITY

MAX_NAMES: Final = 64
MAX_NAME_LENGTH: Final = 128
MAX_SUBJECT_LENGTH: Final = 255
"""The longest subject that OpenID Connect allows: a shorter limit would make two people with the same beginning one."""
MAX_LIMIT: Final = 1_000_000
"""The highest number of sessions, or of minutes, that a claim can give."""


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """Which claims a token must have, and which claims give applications, priority and roles."""

    required: Mapping[str, Any] = field(default_factory=dict)
    """Claims that must have this value, or a list with this value; None accepts any value."""
    app: str = "app"
    priority: str = "priority"
    roles: str = "roles"
    role_names: Mapping[str, str] = field(default_factory=dict)
    """The roles by the values of that claim; empty if the values are the roles."""
    tenant: str = ""
    """The claim with the tenant; empty for none, as are the next two."""
    sessions: str = ""
    minutes: str = ""


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name or by a path such as `realm_access.roles`; None when it is missing."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def names_of(value: Any) -> tuple[str, ...]:
    """Return the names in a claim: a list of strings, or one string with spaces between the names."""
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, list):
        return ()
    return tuple(each for each in value[:MAX_NAMES] if isinstance(each, str) and 0 < len(each) <= MAX_NAME_LENGTH)


def identity_of(claims: Mapping[str, Any], rules: ClaimRules, method: AuthMethod) -> Identity:
    """Return the identity from a token's claims; raise InvalidCredentialsError when a required claim does not match."""
    for name, required in rules.required.items():
        value = claim(claims, name)
        if value is None or (required is not None and not _has(value, required)):
            raise InvalidCredentialsError(f"the claim {name} is missing or has a wrong value")
    priority = claim(claims, rules.priority)
    roles = names_of(claim(claims, rules.roles))
    if rules.role_names:
        roles = tuple(rules.role_names[each] for each in roles if each in rules.role_names)
    tenant = claim(claims, rules.tenant) if rules.tenant else None
    return Identity(
        subject=str(claims.get("sub") or "")[:MAX_SUBJECT_LENGTH],
        method=method,
        roles=frozenset(roles),
        apps=names_of(claim(claims, rules.app)),
        priority=min(max(priority, 0), MAX_PRIORITY) if type(priority) is int else None,
        tenant=tenant[:MAX_NAME_LENGTH] if isinstance(tenant, str) else "",
        sessions=_limit(claims, rules.sessions),
        minutes=_limit(claims, rules.minutes),
    )


def _limit(claims: Mapping[str, Any], name: str) -> int | None:
    value = claim(claims, name) if name else None
    return min(max(value, 0), MAX_LIMIT) if type(value) is int else None


def _has(value: Any, required: Any) -> bool:
    if isinstance(value, list):
        return any(type(each) is type(required) and each == required for each in value)
    return type(value) is type(required) and bool(value == required)
