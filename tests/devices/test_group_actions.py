"""Groups and attributes as orders: of one device, and of all that were ticked."""

from __future__ import annotations

import pytest

from accounts.grouping import get
from accounts.models import AttributeDefinition
from accounts.services import attributes, groups
from devices import actions
from devices.services import operation_work, operations
from tests import factories
from tests.portal import history_of, path, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def group(tenant, admin):
    return groups.create(shape=get("device"), tenant=tenant, name="Loan", actor=admin.actor)


@pytest.fixture
def place(tenant):
    return AttributeDefinition.objects.create(
        tenant=tenant, owner_kind="device", key="place", kind="text", label="Place"
    )


def test_a_device_joins_and_leaves_a_group_from_its_menu(signed_in, admin, device, group):
    client = signed_in(admin)
    page = text(client.get(path("device-detail", device.pk)))
    assert path("devices:device-join-group", device.pk) in page
    for name, members in (("join", [device]), ("leave", [])):
        address = path(f"devices:device-{name}-group", device.pk)
        assert "Loan" in text(client.get(address))
        client.post(address, {"group": str(group.pk)})
        assert list(group.members.all()) == members
    assert history_of(device)[-2:] == ["devices.device.groups_changed"] * 2


def test_an_attribute_is_set_from_the_menu(signed_in, admin, device, place, tenant):
    client, address = signed_in(admin), path("devices:device-set-attribute", device.pk)
    client.post(address, {"attribute": str(place.pk), "value": "Lobby"})
    assert attributes.values_of(shape=get("device"), member=device) == {"place": "Lobby"}
    floor = AttributeDefinition.objects.create(
        tenant=tenant, owner_kind="device", key="floor", kind="number", label="Floor"
    )
    wrong = client.post(address, {"attribute": str(floor.pk), "value": "high"})
    assert wrong.status_code == 422
    assert "Give a number" in text(wrong)


def test_groups_of_others_and_rules_are_not_offered(signed_in, admin, device, stranger, tenant):
    rule = {"match": "all", "rules": [{"field": "serial", "operator": "not_blank"}]}
    made = [
        groups.create(
            shape=get("device"), tenant=tenant, name="Ruled", rule=rule, actor=admin.actor
        ),
        groups.create(
            shape=get("device"), tenant=stranger.tenant, name="Theirs", actor=stranger.actor
        ),
    ]
    address = path("devices:device-join-group", device.pk)
    for one in made:
        answer = signed_in(admin).post(address, {"group": str(one.pk)})
        assert answer.status_code == 422
        assert one.name not in text(answer)


@pytest.mark.parametrize("key", ["join_group", "leave_group", "set_attribute"])
def test_they_can_be_ordered_of_many(key):
    assert actions.find(key).is_bulk


def test_many_devices_join_a_group(tenant, admin, group):
    from devices.models import Device

    for _ in range(3):
        factories.device(tenant, None)
    operation = operations.create(
        principal=admin,
        action_key="join_group",
        devices=Device.objects.visible_to(admin),
        form={"group": [str(group.pk)]},
    )
    while operation_work.work(operation.pk):
        pass
    assert group.members.count() == 3
