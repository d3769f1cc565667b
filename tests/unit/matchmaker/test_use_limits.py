"""The limits of a person and of its tenant, by settings and claims."""

from dataclasses import dataclass, replace

import pytest

from matchmaker.use_limits import use_limits_of
from pixelfleet.auth.identity import ANONYMOUS, AuthMethod, Identity
from pixelfleet.fleet.model import UseLimit

ADA = Identity(subject="ada", method="oidc", tenant="acme")


@dataclass(frozen=True)
class Limits:
    subject_sessions: int = 0
    subject_minutes: int = 0
    tenant_sessions: int = 0
    tenant_minutes: int = 0


def test_without_settings_there_is_no_limit() -> None:
    assert use_limits_of(ADA, "ada0", Limits()) == ()


def test_a_person_and_its_tenant_have_limits_of_their_own() -> None:
    person, tenant = use_limits_of(ADA, "ada0", Limits(1, 60, 20, 600))
    assert person == UseLimit("ada0", 1, 3600)
    assert (tenant.sessions, tenant.seconds, len(tenant.name)) == (20, 36000, 32)
    assert use_limits_of(replace(ADA, tenant="other"), "ada0", Limits(tenant_sessions=1))[0].name != tenant.name
    assert use_limits_of(replace(ADA, tenant=""), "ada0", Limits(tenant_sessions=1)) == ()


def test_a_claim_replaces_the_setting_of_a_person() -> None:
    assert use_limits_of(replace(ADA, sessions=3, minutes=5), "ada0", Limits(1, 60)) == (UseLimit("ada0", 3, 300),)
    assert use_limits_of(replace(ADA, sessions=0, minutes=0), "ada0", Limits(1, 60)) == ()


def test_without_a_login_there_is_no_limit() -> None:
    assert use_limits_of(ANONYMOUS, "cookie", Limits(1, 1, 1, 1)) == ()
    assert use_limits_of(replace(ADA, method="link"), "link", Limits(1, 1, 1, 1)) == ()
    guest = replace(ADA, method="invite", tenant="")
    assert use_limits_of(guest, "link", Limits(1, 1, 1, 1)) == (), "several guests may hold one invite"


@pytest.mark.parametrize("method", ["link", "invite"])
def test_several_people_may_hold_one_link_or_invite(method: AuthMethod) -> None:
    holder = Identity(subject="a name", method=method, link_id="1d")
    assert use_limits_of(holder, "digest", Limits(1, 1, 1, 1)) == ()
