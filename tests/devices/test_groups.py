from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import (
    ForeignObject,
    GroupFixed,
    GroupInUse,
    GroupNameTaken,
    GroupNotManual,
    TooManyGroups,
)
from accounts.grouping import get
from accounts.models import AttributeDefinition, UserGroup
from accounts.services import attributes, group_rules, groups, tenants, users
from accounts.tasks import sweep_groups
from core import clock
from core.models import HistoryEntry
from core.rules.errors import RuleInvalid
from devices.models import Device, DeviceContact, DeviceGroup, DeviceGroupMembership
from devices.services import entries, grouped, lifecycle
from tests import factories
from tests.portal import history_of

pytestmark = pytest.mark.django_db
DEVICES, PEOPLE = get("device"), get("user")
MACS = {"match": "all", "rules": [{"field": "platform", "operator": "equals", "value": "mac"}]}


def dynamic(tenant, actor, rule=MACS, shape=DEVICES, name="Chosen"):
    return groups.create(shape=shape, tenant=tenant, name=name, rule=rule, actor=actor)


def rule(field, operator, value):
    return {"match": "all", "rules": [{"field": field, "operator": operator, "value": value}]}


def names(group):
    return sorted(group.members.values_list("name", flat=True))


def sweep():
    sweep_groups.apply().get()


@pytest.fixture
def fleet(tenant, person):
    return [
        factories.device(tenant, person, name="Mac 1", platform="mac"),
        factories.device(tenant, None, name="Mac 2", platform="mac"),
        factories.device(tenant, None, name="Phone"),
    ]


def test_a_dynamic_group_is_filled_by_the_next_sweep(tenant, admin, fleet, foreign_device):
    Device.objects.filter(pk=foreign_device.pk).update(platform="mac")
    group = dynamic(tenant, admin.actor)
    assert names(group) == []
    sweep()
    group.refresh_from_db()
    assert (names(group), group.member_count) == (["Mac 1", "Mac 2"], 2)
    assert group.due_at > clock.now() + dt.timedelta(hours=5)
    assert history_of(group) == ["devices.group.created", "devices.group.recomputed"]
    assert HistoryEntry.objects.about(group).first().data == {"came": 2, "went": 0}


def test_a_device_that_changes_changes_its_groups(tenant, admin, fleet):
    group = dynamic(tenant, admin.actor)
    sweep()
    lifecycle.transition(device_id=fleet[0].pk, to="unenrolled", actor=admin.actor)
    late = factories.device(tenant, None, name="Mac 3", platform="mac")
    sweep()
    assert names(group) == ["Mac 2", "Mac 3"]
    group.refresh_from_db()
    assert group.member_count == 2
    assert HistoryEntry.objects.about(group).first().data == {"came": 1, "went": 1}
    late.refresh_from_db()
    assert late.groups_due_at is None


def test_a_changed_rule_recomputes_and_is_told_in_words(tenant, admin, fleet):
    group = dynamic(tenant, admin.actor)
    sweep()
    groups.edit(group=group, rule=rule("name", "begins", "phone"), actor=admin.actor)
    sweep()
    assert names(group) == ["Phone"]
    told = HistoryEntry.objects.get(action="devices.group.changed").data
    assert told == {"rule": ["Platform is “Mac”", "Name of the device begins with “phone”"]}
    groups.edit(group=group, rule=rule("name", "begins", "phone"), actor=admin.actor)
    assert HistoryEntry.objects.filter(action="devices.group.changed").count() == 1


def test_what_people_and_attributes_say_reaches_the_devices(tenant, admin, person, fleet):
    AttributeDefinition.objects.create(
        tenant=tenant, owner_kind="user", key="team", kind="text", label="Team"
    )
    sales = dynamic(tenant, admin.actor, rule("attr.team", "equals", "sales"), PEOPLE, "Sales")
    of_sales = dynamic(tenant, admin.actor, rule("person.group", "member", str(sales.pk)))
    renamed = dynamic(
        tenant, admin.actor, rule("person.last_name", "equals", "Person"), name="Renamed"
    )
    sweep()
    assert (names(of_sales), names(renamed)) == ([], [])
    attributes.set_values(shape=PEOPLE, member=person, values={"team": "Sales"}, actor=admin.actor)
    users.edit(user=person, last_name="Person", actor=admin.actor)
    sweep()
    assert list(sales.members.all()) == [person]
    assert (names(of_sales), names(renamed)) == (["Mac 1"], ["Mac 1"])
    attributes.set_values(shape=PEOPLE, member=person, values={"team": ""}, actor=admin.actor)
    sweep()
    assert names(of_sales) == []


def test_last_contact_is_looked_at_from_time_to_time(tenant, admin, fleet, monkeypatch):
    group = dynamic(tenant, admin.actor, rule("last_contact", "older_days", 7))
    sweep()
    group.refresh_from_db()
    assert group.due_at < clock.now() + group_rules.DRIFT_EVERY
    old = clock.now() - dt.timedelta(days=8)
    DeviceContact.objects.filter(device=fleet[2]).update(last_seen_at=old)
    sweep()
    assert names(group) == []
    later = clock.now() + group_rules.DRIFT_EVERY
    monkeypatch.setattr(clock, "now", lambda: later)
    sweep()
    assert names(group) == ["Phone"]


def test_a_claim_that_nobody_finished_is_taken_up_after_its_lease(
    tenant, admin, fleet, monkeypatch
):
    group = dynamic(tenant, admin.actor)
    Device.objects.update(groups_due_at=None)
    with monkeypatch.context() as broken:
        broken.setattr(group_rules, "recompute", lambda *args, **named: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            group_rules.sweep(DEVICES)
    group_rules.sweep(DEVICES)
    assert names(group) == []
    later = clock.now() + group_rules.LEASE
    monkeypatch.setattr(clock, "now", lambda: later)
    group_rules.sweep(DEVICES)
    assert names(group) == ["Mac 1", "Mac 2"]


def test_an_edit_during_a_run_makes_it_run_again(tenant, admin, fleet):
    group = dynamic(tenant, admin.actor)
    lease = clock.now() + group_rules.LEASE
    DeviceGroup.objects.filter(pk=group.pk).update(due_at=lease)
    groups.edit(group=group, rule=rule("name", "equals", "Phone"), actor=admin.actor)
    group_rules.recompute(DEVICES, group.pk, lease=lease)
    group.refresh_from_db()
    assert group.due_at <= clock.now()


def test_a_rule_that_asks_for_what_is_gone_keeps_its_members(tenant, admin, fleet):
    group = dynamic(tenant, admin.actor)
    sweep()
    broken = rule("attr.gone", "equals", "x")
    DeviceGroup.objects.filter(pk=group.pk).update(rule=broken, due_at=clock.now())
    Device.objects.update(groups_due_at=clock.now())
    sweep()
    assert names(group) == ["Mac 1", "Mac 2"]


def test_a_sweep_repairs_what_does_not_fit(tenant, admin, fleet):
    group = dynamic(tenant, admin.actor)
    sweep()
    DeviceGroupMembership.objects.filter(device=fleet[0]).delete()
    DeviceGroupMembership.objects.create(group=group, device=fleet[2])
    DeviceGroup.objects.update(due_at=clock.now(), member_count=77)
    sweep()
    group.refresh_from_db()
    assert (names(group), group.member_count) == (["Mac 1", "Mac 2"], 2)
    sweep()
    assert HistoryEntry.objects.filter(action="devices.group.recomputed").count() == 2


def test_the_number_of_queries_does_not_grow_with_the_members(tenant, admin, fleet):
    group = dynamic(tenant, admin.actor)

    def counted(task):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            task()
        return len(queries)

    first = counted(lambda: group_rules.recompute(DEVICES, group.pk))
    DeviceGroupMembership.objects.all().delete()
    factories.device(tenant, None, platform="mac")
    refreshed = counted(lambda: group_rules.refresh_due(DEVICES))
    for _ in range(10):
        factories.device(tenant, None, platform="mac")
    assert counted(lambda: group_rules.refresh_due(DEVICES)) <= refreshed
    DeviceGroupMembership.objects.all().delete()
    assert counted(lambda: group_rules.recompute(DEVICES, group.pk)) <= first


def test_manual_members_come_and_go_with_history(tenant, admin, fleet):
    group = groups.create(shape=DEVICES, tenant=tenant, name="Loan", actor=admin.actor)
    asked = dynamic(tenant, admin.actor, rule("group", "member", str(group.pk)), name="On loan")
    ids = [device.pk for device in fleet]
    assert groups.add_members(group=group, ids=[*ids[:2], ids[0]], actor=admin.actor) == 2
    assert groups.add_members(group=group, ids=ids, actor=admin.actor) == 1
    assert groups.add_members(group=group, ids=ids, actor=admin.actor) == 0
    sweep()
    assert names(asked) == ["Mac 1", "Mac 2", "Phone"]
    assert groups.remove_members(group=group, ids=ids[:1], actor=admin.actor) == 1
    assert groups.remove_members(group=group, ids=ids[:1], actor=admin.actor) == 0
    sweep()
    group.refresh_from_db()
    assert (names(asked), group.member_count) == (["Mac 2", "Phone"], 2)
    entries_ = HistoryEntry.objects.about(group).order_by("id")
    assert [entry.action for entry in entries_] == [
        "devices.group.created",
        "devices.group.members_added",
        "devices.group.members_added",
        "devices.group.members_removed",
    ]
    assert entries_[1].data == {"count": 2, "names": ["Mac 1", "Mac 2"]}


def test_groups_of_one_device_are_replaced_with_history(tenant, admin, device):
    one, two = (
        groups.create(shape=DEVICES, tenant=tenant, name=name, actor=admin.actor)
        for name in ("One", "Two")
    )
    set_groups = groups.set_manual_groups
    set_groups(shape=DEVICES, member=device, groups=[one], actor=admin.actor)
    set_groups(shape=DEVICES, member=device, groups=[two], actor=admin.actor)
    set_groups(shape=DEVICES, member=device, groups=[two], actor=admin.actor)
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.member_count, two.member_count) == (0, 1)
    told = HistoryEntry.objects.filter(action="devices.device.groups_changed")
    assert [entry.data for entry in told.order_by("id")] == [
        {"groups": [[], ["One"]]},
        {"groups": [["One"], ["Two"]]},
    ]


def test_only_manual_groups_take_members(tenant, admin, device):
    group = dynamic(tenant, admin.actor)
    with pytest.raises(GroupNotManual):
        groups.add_members(group=group, ids=[device.pk], actor=admin.actor)
    with pytest.raises(GroupNotManual):
        groups.remove_members(group=group, ids=[device.pk], actor=admin.actor)
    with pytest.raises(GroupNotManual):
        groups.set_manual_groups(shape=DEVICES, member=device, groups=[group], actor=admin.actor)
    manual = groups.create(shape=DEVICES, tenant=tenant, name="M", actor=admin.actor)
    with pytest.raises(GroupNotManual):
        groups.edit(group=manual, rule=MACS, actor=admin.actor)


def test_nothing_of_another_organisation_gets_in(tenant, admin, device, foreign_device, stranger):
    group = groups.create(shape=DEVICES, tenant=tenant, name="M", actor=admin.actor)
    theirs = groups.create(shape=DEVICES, tenant=stranger.tenant, name="T", actor=stranger.actor)
    with pytest.raises(ForeignObject):
        groups.add_members(group=group, ids=[device.pk, foreign_device.pk], actor=admin.actor)
    with pytest.raises(ForeignObject):
        groups.set_manual_groups(shape=DEVICES, member=device, groups=[theirs], actor=admin.actor)
    with pytest.raises(RuleInvalid):
        dynamic(tenant, admin.actor, rule("group", "member", str(theirs.pk)))
    assert DeviceGroupMembership.objects.count() == 0


def test_a_group_that_a_rule_asks_for_stays(tenant, admin):
    people = groups.create(shape=PEOPLE, tenant=tenant, name="Sales", actor=admin.actor)
    asking = dynamic(tenant, admin.actor, rule("person.group", "member", str(people.pk)))
    with pytest.raises(GroupInUse, match="Chosen"):
        groups.delete(group=people, actor=admin.actor)
    assert [use.pk for use in groups.used_by(people)] == [asking.pk]
    groups.delete(group=asking, actor=admin.actor)
    groups.delete(group=people, actor=admin.actor)
    assert not UserGroup.objects.exists()
    assert "devices.group.deleted" in history_of(asking)


def test_names_are_unique_in_any_case_and_numbers_are_limited(
    tenant, other_tenant, admin, monkeypatch
):
    make = groups.create
    make(shape=DEVICES, tenant=tenant, name="Lobby", actor=admin.actor)
    make(shape=PEOPLE, tenant=tenant, name="Lobby", actor=admin.actor)
    make(shape=DEVICES, tenant=other_tenant, name="Lobby", actor=admin.actor)
    for taken in (" lobby ", "all devices"):
        with pytest.raises(GroupNameTaken):
            make(shape=DEVICES, tenant=tenant, name=taken, actor=admin.actor)
    monkeypatch.setattr(groups, "MAX_GROUPS", 1)
    with pytest.raises(TooManyGroups):
        make(shape=DEVICES, tenant=tenant, name="Second", actor=admin.actor)


def test_a_tenant_is_founded_with_groups_that_nobody_can_remove(tenant, admin, monkeypatch, fleet):
    factories.with_keys(tenant, monkeypatch)
    for _ in range(2):
        tenants.found(name=tenant.name, slug=tenant.slug)
    assert DeviceGroup.objects.filter(kind="builtin").count() == len(DEVICES.builtin) == 8
    sweep()
    members = {group.key: names(group) for group in DeviceGroup.objects.all()}
    assert members["all"] == ["Mac 1", "Mac 2", "Phone"]
    assert (members["mac"], members["iphone"]) == (["Mac 1", "Mac 2"], ["Phone"])
    assert members["supervised"] == members["company"] == []
    administrators = UserGroup.objects.get(key="administrators")
    assert [user.email for user in administrators.members.all()] == [admin.email]
    everybody = DeviceGroup.objects.get(key="all")
    assert str(everybody) == "All devices"
    for refused in (
        lambda: groups.delete(group=everybody, actor=admin.actor),
        lambda: groups.edit(group=everybody, name="Mine", actor=admin.actor),
    ):
        with pytest.raises(GroupFixed):
            refused()
    assert HistoryEntry.objects.filter(action="devices.group.recomputed").count() == 0
    DeviceGroup.objects.filter(key="mac").update(rule={})
    tenants.found(name=tenant.name, slug=tenant.slug)
    assert DeviceGroup.objects.get(key="mac").rule == DEVICES.builtin["mac"]


def enroll_again(device, user):
    return entries.open_entry(
        tenant=device.tenant,
        key=device.physical.key,
        platform="iphone",
        channel_kind="apple",
        user=user,
        session_id=device.session_id,
        facts=entries.Facts(name="Again"),
        device_limit=None,
    )


@pytest.mark.parametrize("is_same", [True, False])
def test_an_enrollment_of_the_same_person_keeps_what_people_said(tenant, admin, device, is_same):
    AttributeDefinition.objects.create(
        tenant=tenant, owner_kind="device", key="place", kind="text", label="Place"
    )
    attributes.set_values(
        shape=DEVICES, member=device, values={"place": "Lobby"}, actor=admin.actor
    )
    group = groups.create(shape=DEVICES, tenant=tenant, name="M", actor=admin.actor)
    groups.add_members(group=group, ids=[device.pk], actor=admin.actor)
    again = enroll_again(device, device.user if is_same else admin)
    told = attributes.values_of(shape=DEVICES, member=again)
    assert told == ({"place": "Lobby"} if is_same else {})
    assert names(group) == (["Again"] if is_same else [device.name])
    lifecycle.transition(device_id=again.pk, to="abandoned", actor=admin.actor)
    lifecycle.delete(device=again, actor=admin.actor)
    group.refresh_from_db()
    assert group.member_count == (0 if is_same else 1)


def test_an_earlier_enrollment_is_in_no_computed_group(tenant, admin, fleet):
    group = dynamic(tenant, admin.actor)
    sweep()
    entries.archive(fleet[0], actor=admin.actor)
    sweep()
    assert names(group) == ["Mac 2"]


def test_groups_are_seen_with_their_permission_only(tenant, admin, helpdesk, person, stranger):
    dynamic(tenant, admin.actor)
    seen = [DeviceGroup.objects.visible_to(one).count() for one in (admin, helpdesk, person)]
    assert seen == [1, 1, 0]
    assert DeviceGroup.objects.visible_to(stranger).count() == 0


def test_joined_entries_hand_over_once(tenant, admin, person):
    old, new = (factories.device(tenant, person, name=name) for name in ("Old", "New"))
    AttributeDefinition.objects.create(
        tenant=tenant, owner_kind="device", key="place", kind="text", label="Place"
    )
    for device in (old, new):
        attributes.set_values(
            shape=DEVICES, member=device, values={"place": device.name}, actor=admin.actor
        )
    both, one = (
        groups.create(shape=DEVICES, tenant=tenant, name=name, actor=admin.actor)
        for name in ("Both", "One")
    )
    groups.add_members(group=both, ids=[old.pk, new.pk], actor=admin.actor)
    groups.add_members(group=one, ids=[old.pk], actor=admin.actor)
    entries.succeed(old, new)
    for group in (both, one):
        group.refresh_from_db()
        assert (names(group), group.member_count) == (["New"], 1)
    assert attributes.values_of(shape=DEVICES, member=new) == {"place": "New"}


def test_another_person_begins_anew(tenant, admin, device):
    AttributeDefinition.objects.create(
        tenant=tenant, owner_kind="device", key="place", kind="text", label="Place"
    )
    attributes.set_values(
        shape=DEVICES, member=device, values={"place": "Lobby"}, actor=admin.actor
    )
    group = groups.create(shape=DEVICES, tenant=tenant, name="M", actor=admin.actor)
    groups.add_members(group=group, ids=[device.pk], actor=admin.actor)
    grouped.part(device)
    group.refresh_from_db()
    assert (names(group), group.member_count) == ([], 0)
    assert attributes.values_of(shape=DEVICES, member=device) == {}
