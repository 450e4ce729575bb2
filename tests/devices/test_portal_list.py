from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import Role
from core import clock
from devices.models import Device, DeviceContact
from devices.services import entries
from tests import factories
from tests.portal import path, text

pytestmark = pytest.mark.django_db
LIST = "/devices/"


def names(response) -> list[str]:
    return [row.record.name for row in response.context["table"].page.object_list]


def test_it_lists_the_devices_of_the_own_organisation(signed_in, admin, device, foreign_device):
    page = text(signed_in(admin).get(LIST))
    assert "Pia&#x27;s iPhone" in page
    assert path("device-detail", device.pk) in page
    assert str(foreign_device.pk) not in page


@pytest.mark.parametrize("word", ["pia.person", "Pia's", "SERIAL", "15 pro", "acme pia"])
def test_it_finds_by_person_serial_name_and_model(signed_in, admin, device, tenant, word):
    factories.device(tenant, None, name="Spare", serial="OTHER", model_name="iPad")
    assert names(signed_in(admin).get(LIST, {"q": word})) == ["Pia's iPhone"]


def test_filters_live_in_the_url_and_combine(signed_in, admin, tenant, device):
    factories.device(tenant, None, name="Mac", platform="mac", state="retired")
    factories.device(tenant, None, name="Old", platform="mac")
    response = signed_in(admin).get(LIST, {"platform": "mac", "state": "active"})
    assert names(response) == ["Old"]
    assert "Platform: Mac" in text(response)
    assert "Clear all filters" in text(response)


def test_silent_devices_are_those_not_heard_of_for_a_week(signed_in, admin, tenant, device):
    silent = factories.device(tenant, None, name="Silent")
    DeviceContact.objects.filter(device=silent).update(
        last_seen_at=clock.now() - dt.timedelta(days=8)
    )
    gone = factories.device(tenant, None, name="Retired long ago", state="retired")
    DeviceContact.objects.filter(device=gone).update(
        last_seen_at=clock.now() - dt.timedelta(days=80)
    )
    assert names(signed_in(admin).get(LIST, {"silent": "week"})) == ["Silent"]


def test_earlier_enrollments_are_shown_only_when_asked_for(signed_in, admin, device):
    entries.archive(device, actor=admin.actor)
    client = signed_in(admin)
    assert names(client.get(LIST, {"state": "reset"})) == []
    assert names(client.get(LIST, {"archived": "only"})) == ["Pia's iPhone"]


@pytest.mark.parametrize(
    "query",
    [
        {"page": "9999"},
        {"page": "x"},
        {"page": "-1"},
        {"sort": "password"},
        {"sort": "user__password"},
        {"state": "nonsense"},
        {"user": "not-a-uuid"},
        {"q": "\x00"},
        {"q": "%' OR 1=1 --"},
        {"archived": "x" * 5000},
    ],
)
def test_odd_queries_give_a_page_and_never_a_fault(signed_in, admin, device, query):
    assert signed_in(admin).get(LIST, query).status_code == 200


def test_pages_never_lose_or_repeat_a_row(signed_in, admin, tenant):
    made = {factories.device(tenant, None, name="Same").pk for _ in range(30)}
    client, seen = signed_in(admin), []
    for number in (1, 2):
        response = client.get(LIST, {"sort": "name", "page": number})
        seen += [row.record.pk for row in response.context["table"].page.object_list]
    assert len(seen) == 30
    assert set(seen) == made


def test_the_sorted_column_says_so(signed_in, admin, device):
    page = text(signed_in(admin).get(LIST, {"sort": "-name"}))
    assert 'aria-sort="descending"' in page
    assert page.count('aria-sort="descending"') == 1


def test_the_number_of_queries_does_not_grow(
    signed_in, admin, tenant, django_assert_max_num_queries
):
    for _ in range(3):
        factories.device(tenant, factories.user(tenant))
    client = signed_in(admin)
    with django_assert_max_num_queries(12):
        client.get(LIST)
    for _ in range(20):
        factories.device(tenant, factories.user(tenant))
    with django_assert_max_num_queries(12):
        client.get(LIST)


def test_first_use_offers_to_invite(signed_in, admin):
    page = text(signed_in(admin).get(LIST))
    assert "No device is enrolled yet" in page
    assert path("invitations:invitation-new") in page
    assert "<table" not in page


def test_no_match_offers_to_clear_the_filters(signed_in, admin, device):
    page = text(signed_in(admin).get(LIST, {"q": "nobody has this"}))
    assert "Nothing matches these filters" in page
    assert f'href="{LIST}"' in page


def test_without_the_permission_the_page_says_whom_to_ask(signed_in, tenant):
    role = Role.objects.create(tenant=tenant, key="clerk", name="Clerk", permissions=["users.view"])
    clerk = factories.user(tenant)
    clerk.roles.add(role)
    response = signed_in(clerk).get(LIST)
    assert response.status_code == 403
    assert "Your roles do not include this page" in text(response)
    assert 'href="/users/"' in text(response)


def test_people_without_a_role_see_nothing(signed_in, person):
    assert signed_in(person).get(LIST).status_code == 403
    assert Device.objects.visible_to(person).count() == 0
