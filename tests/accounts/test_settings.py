from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts.models import UserSettings
from accounts.services import settings as service
from accounts.services import tenants
from core.models import HistoryEntry, StoredKey

pytestmark = pytest.mark.django_db


def test_a_changed_policy_is_in_the_history(tenant, owner):
    policy = UserSettings.objects.get(tenant=tenant)
    service.change_policy(policy=policy, actor=owner.actor, pin_length=10, tenant_id=None)
    assert UserSettings.objects.for_user(owner).pin_length == 10
    assert HistoryEntry.objects.about(policy).get().data == {"pin_length": [8, 10]}


@pytest.mark.parametrize(
    "change",
    [
        {"pin_length": 3},
        {"pin_length": 13},
        {"pin_days": 0},
        {"invitation_days": 31},
        {"profile_minutes": 4},
        {"device_limit": 0},
        {"device_limit": 51},
        {"max_reminders": 31},
    ],
)
def test_a_policy_out_of_range_is_refused(tenant, owner, change):
    policy = UserSettings.objects.get(tenant=tenant)
    with pytest.raises(ValidationError):
        service.change_policy(policy=policy, actor=owner.actor, **change)


def test_an_unknown_time_zone_is_refused(tenant, owner):
    with pytest.raises(ValidationError):
        service.change_organisation(tenant=tenant, actor=owner.actor, time_zone="Mars/Olympus")


def test_founding_twice_changes_nothing():
    first = tenants.found(name="Acme", slug="acme")
    keys = set(StoredKey.objects.values_list("sha256", flat=True))
    assert tenants.found(name="Other", slug="acme") == first
    assert set(StoredKey.objects.values_list("sha256", flat=True)) == keys
    assert UserSettings.objects.count() == 1


def test_the_first_owner_gets_a_password_once(tenant):
    user, shown = tenants.first_owner(tenant=tenant, email="Admin@Acme.Test")
    assert user.check_password(shown)
    assert user.must_change_password
    assert tenants.first_owner(tenant=tenant, email="again@acme.test") == (user, "")


def test_a_single_tenant_answers_on_any_host_and_several_only_on_their_own(tenant, settings):
    assert tenants.for_host("whatever.test") == tenant
    from tests import factories

    second = factories.tenant("second", hosts=["mdm.second.test"])
    settings.MUSTER_PUBLIC_URL = "https://mdm.acme.test"
    assert tenants.for_host("mdm.second.test:443") == second
    assert tenants.for_host("mdm.acme.test") == tenant
    assert tenants.for_host("unknown.test") is None
