"""The limits of a person and of its tenant, by settings and claims. No I/O."""

import hashlib
from typing import Final, Protocol

from pixelfleet.auth.identity import Identity
from pixelfleet.fleet.model import UseLimit

MINUTE: Final = 60


class Limits(Protocol):
    """The settings of the limits; 0 is no limit."""

    @property
    def subject_sessions(self) -> int:
        """Simultaneous sessions of a person."""

    @property
    def subject_minutes(self) -> int:
        """Minutes a day of a person."""

    @property
    def tenant_sessions(self) -> int:
        """Simultaneous sessions of all persons of a tenant."""

    @property
    def tenant_minutes(self) -> int:
        """Minutes a day of all persons of a tenant."""


def use_limits_of(identity: Identity, person: str, settings: Limits) -> tuple[UseLimit, ...]:
    """Return the limits of the ticket of an identity, whose digest is `person`; none for one without a login.

    A claim replaces the setting of a subject. The holders of a link or an invite have none: several people may hold it,
    and its subject is only a name.
    """
    if not identity.subject or identity.link_id:
        return ()
    subject = UseLimit(
        person,
        settings.subject_sessions if identity.sessions is None else identity.sessions,
        MINUTE * (settings.subject_minutes if identity.minutes is None else identity.minutes),
    )
    limits = [subject]
    if identity.tenant:
        tenant = hashlib.sha256(f"tenant:{identity.tenant}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
        limits.append(UseLimit(tenant, settings.tenant_sessions, MINUTE * settings.tenant_minutes))
    return tuple(each for each in limits if each.sessions or each.seconds)
