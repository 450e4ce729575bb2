from __future__ import annotations

import pytest

from accounts.grouping import get
from accounts.models import Role, UserGroup
from accounts.services import group_rules, groups
from core.models import HistoryEntry
from devices.models import DeviceGroup
from tests import factories
from tests.portal import path, text

pytestmark = pytest.mark.django_db
DEVICES, PEOPLE = get("device"), get("user")
MACS = {"match": "all", "rules": [{"field": "platform", "operator": "equals", "value": "mac"}]}
BASE = {"rule-match": "all", "name": "Lobby", "description": "", "do": "save"}
NAMED = {"rule-0-field": "name", "rule-0-operator": "contains", "rule-0-value": "lobby"}


@pytest.fixture
def make(tenant, admin):
    def one(name="Lobby", rule=None, shape=DEVICES):
        return groups.create(shape=shape, tenant=tenant, name=name, rule=rule, actor=admin.actor)

    return one


@pytest.fixture
def portal(signed_in, admin):
    return signed_in(admin)


def own(group, *name):
    kind = "device" if isinstance(group, DeviceGroup) else "user"
    return path("-".join((kind, "group", *(name or ("detail",)))), group.pk)


def clerk(tenant, *permissions):
    user = factories.user(tenant)
    user.roles.add(
        Role.objects.create(tenant=tenant, key="clerk", name="Clerk", permissions=permissions)
    )
    return user


@pytest.mark.parametrize("kind", ["device", "user"])
def test_the_list_shows_own_groups_and_leads_to_their_pages(portal, make, stranger, kind):
    mine = make(shape=get(kind))
    theirs = groups.create(
        shape=get(kind), tenant=stranger.tenant, name="Theirs", actor=stranger.actor
    )
    response = portal.get(path(f"{kind}-group-list"))
    page = text(response)
    assert "Lobby" in page
    assert "Theirs" not in page
    assert f'href="{mine.pk}/"' in page
    assert portal.get(own(theirs)).status_code == 404


@pytest.mark.parametrize("kind", ["device", "user"])
def test_without_a_group_the_list_says_what_they_are_for(portal, helpdesk, signed_in, kind):
    page = text(portal.get(path(f"{kind}-group-list")))
    assert "There is no group yet" in page
    assert path(f"{kind}-group-new-rule") in page
    page = text(signed_in(helpdesk).get(path(f"{kind}-group-list")))
    assert path(f"{kind}-group-new-rule") not in page


def test_a_manual_group_is_made_filled_and_emptied(portal, device, tenant):
    page = portal.post(path("device-group-new"), {"name": "Loan", "description": "For visitors"})
    group = DeviceGroup.objects.get()
    assert page["Location"] == own(group, "members", "add")
    assert "Pia&#x27;s iPhone" in text(portal.get(page["Location"]))
    portal.post(page["Location"], {"row": [str(device.pk), "nonsense"]})
    page = text(portal.get(own(group)))
    assert "Pia&#x27;s iPhone" in page
    assert "1 was added to Loan." in page
    assert "Pia&#x27;s iPhone" not in text(portal.get(own(group, "members", "add")))
    portal.post(own(group, "members", "remove"), {"row": str(device.pk)})
    assert "This group is empty" in text(portal.get(own(group)))


def test_members_of_another_organisation_are_ignored(portal, make, foreign_device):
    group = make()
    portal.post(own(group, "members", "add"), {"row": str(foreign_device.pk)})
    assert group.members.count() == 0
    assert "choose rows first" in text(portal.get(own(group)))


def test_a_rule_is_built_with_buttons_alone(portal, tenant):
    """Everything that a browser without JavaScript would post."""
    factories.device(tenant, None, name="Lobby Mac", platform="mac")
    address = path("device-group-new-rule")
    page = portal.get(address)
    assert page.context["preview"] is None
    filled = BASE | NAMED
    page = portal.post(address, filled | {"do": "add:rule"})
    assert page.status_code == 200
    assert not DeviceGroup.objects.exists()
    assert [part["values"] for part in page.context["rule"]["rules"]] == [["lobby"], [""]]
    assert 'value="Lobby"' in text(page)
    page = portal.post(address, filled | {"do": "branch:rule"})
    assert page.context["rule"]["rules"][1]["match"] == "any"
    second = {"rule-1-match": "any", "rule-1-0-field": "platform", "rule-1-0-operator": "equals"}
    page = portal.post(address, filled | second | {"do": "refresh"})
    assert page.context["rule"]["rules"][1]["rules"][0]["values"] == ["iphone"]
    page = portal.post(address, filled | second | {"rule-1-0-value": "mac", "do": "refresh"})
    assert page.context["preview"].total == 1
    assert "Lobby Mac" in text(page)
    page = portal.post(address, filled | second | {"do": "remove:rule-1"})
    assert len(page.context["rule"]["rules"]) == 1
    page = portal.post(address, filled | second | {"rule-1-0-value": "mac"})
    group = DeviceGroup.objects.get()
    assert page["Location"] == own(group)
    group_rules.sweep(DEVICES)
    page = text(portal.get(own(group)))
    assert "Name of the device contains “lobby”" in page
    assert "Platform is “Mac”" in page
    assert "Lobby Mac" in page


@pytest.mark.parametrize(
    "button",
    ["remove:rule", "remove:rule-7", "add:rule-0", "add:rule-9-9", "branch:rule-0-0-0-0-0-0", "x"],
)
def test_a_button_that_fits_nowhere_changes_nothing(portal, button):
    page = portal.post(path("device-group-new-rule"), BASE | NAMED | {"do": button})
    assert [part["values"] for part in page.context["rule"]["rules"]] == [["lobby"]]


def test_a_changed_field_brings_its_own_comparisons(portal):
    asked = {"rule-0-field": "os_version", "rule-0-operator": "contains", "rule-0-value": "18"}
    page = portal.post(path("device-group-new-rule"), BASE | asked | {"do": "refresh"})
    assert page.context["rule"]["rules"][0]["operator"] == "equals"
    between = asked | {"rule-0-operator": "between", "rule-0-value": ["17", "18"]}
    page = portal.post(path("device-group-new-rule"), BASE | between | {"do": "refresh"})
    assert page.context["rule"]["rules"][0]["values"] == ["17", "18"]
    unknown = {"rule-0-field": "user__password", "rule-0-operator": "equals"}
    page = portal.post(path("device-group-new-rule"), BASE | unknown | {"do": "refresh"})
    assert page.context["rule"]["rules"][0]["field"] == "name"


def test_what_is_wrong_is_said_at_its_place_and_nothing_is_lost(portal):
    wrong = NAMED | {
        "rule-1-match": "any",
        "rule-1-0-field": "os_version",
        "rule-1-0-operator": "less",
        "rule-1-0-value": "eighteen",
    }
    page = portal.post(path("device-group-new-rule"), BASE | wrong | {"name": ""})
    assert page.status_code == 422
    shown = text(page)
    assert shown.count('href="#rule-1-0"') == 1
    assert 'id="rule-1-0"' in shown
    assert "Give a version such as 18.1.2." in shown
    assert "Fill in “Name”." in shown
    assert 'value="eighteen"' in shown
    assert "<title>Error:" in shown
    assert not DeviceGroup.objects.exists()


def test_an_empty_rule_is_not_saved(portal):
    page = portal.post(path("device-group-new-rule"), BASE)
    assert page.status_code == 422
    assert "Add a condition here" in text(page)


def test_markup_in_a_rule_is_text(portal, make):
    """S-11, S-21."""
    nasty = "<svg onload=alert(1)>${1337*1337}{{1337*1337}}"
    rule = {"match": "all", "rules": [{"field": "name", "operator": "equals", "value": nasty}]}
    group = make(name=nasty, rule=rule)
    for address in (
        own(group),
        own(group, "edit"),
        path("device-group-list"),
        own(group, "delete"),
    ):
        page = portal.get(address).content.decode()
        assert "<svg onload" not in page
        assert "1787569" not in page


def test_a_rule_is_changed(portal, make):
    group = make(rule=MACS)
    page = portal.get(own(group, "edit"))
    assert page.context["rule"]["rules"][0]["values"] == ["mac"]
    portal.post(own(group, "edit"), BASE | NAMED | {"name": "Hall"})
    group.refresh_from_db()
    assert (group.name, group.rule["rules"][0]["field"]) == ("Hall", "name")


def test_a_manual_group_is_renamed(portal, make):
    group = make()
    other = make("Other")
    page = portal.post(own(group, "edit"), {"name": "OTHER"})
    assert page.status_code == 422
    assert "There is a group of this name already." in text(page)
    portal.post(own(group, "edit"), {"name": "Hall", "description": "Ground floor"})
    group.refresh_from_db()
    assert (group.name, group.description, other.name) == ("Hall", "Ground floor", "Other")


def test_a_group_is_deleted_with_its_consequences_said(portal, make, device, admin):
    group = make()
    groups.add_members(group=group, ids=[device.pk], actor=admin.actor)
    rule = {
        "match": "all",
        "rules": [{"field": "group", "operator": "member", "value": str(group.pk)}],
    }
    asking = make("Asking", rule=rule)
    page = text(portal.get(own(group, "delete")))
    assert "1 member leaves the group" in page
    assert "Asking" in page
    assert "Asking" in text(portal.get(own(group)))
    assert portal.post(own(group, "delete")).status_code == 422
    groups.delete(group=asking, actor=admin.actor)
    assert portal.post(own(group, "delete"))["Location"] == path("device-group-list")
    assert not DeviceGroup.objects.exists()
    device.refresh_from_db()


def test_built_in_groups_stay_as_they_are(portal, tenant):
    groups.create_builtin(shape=DEVICES, tenant=tenant)
    everybody = DeviceGroup.objects.get(key="all")
    page = text(portal.get(own(everybody)))
    assert "All devices" in page
    assert own(everybody, "edit") not in page
    for name in ("edit", "delete"):
        assert portal.post(own(everybody, name), {"name": "Mine"})["Location"] == own(everybody)
    assert DeviceGroup.objects.count() == 8
    assert text(portal.get(path("device-group-list"))).count("Built-in") > 1


def test_a_broken_rule_is_said_and_not_hidden(portal, make):
    group = make(rule=MACS)
    gone = {"match": "all", "rules": [{"field": "attr.gone", "operator": "blank"}]}
    DeviceGroup.objects.filter(pk=group.pk).update(rule=gone)
    assert "This rule cannot be used" in text(portal.get(own(group)))
    assert portal.get(own(group, "edit")).status_code == 200


def test_groups_of_one_device_are_changed_on_its_page(portal, make, device):
    group = make()
    page = text(portal.get(path("device-detail", device.pk)))
    assert "In no group." in page
    assert path("device-member-groups", device.pk) in page
    portal.post(path("device-member-groups", device.pk), {"groups": str(group.pk)})
    page = text(portal.get(path("device-detail", device.pk)))
    assert own(group) in page
    assert "Groups of the device changed" in page
    assert list(device.device_groups.all()) == [group]


def test_groups_of_one_person_are_changed_on_their_page(portal, make, person):
    group = make(shape=PEOPLE)
    portal.post(path("user-member-groups", person.pk), {"groups": str(group.pk)})
    assert own(group) in text(portal.get(path("user-detail", person.pk)))


def test_people_ticked_in_the_list_are_put_into_a_group(portal, make, person, admin):
    page = text(portal.get(path("user-group-choose"), {"person": str(person.pk)}))
    assert "There is no manual group yet" in page
    group = make(shape=PEOPLE)
    assert path("user-group-choose") in text(portal.get(path("user-list")))
    asked = portal.get(path("user-group-choose"), {"person": [str(person.pk), str(admin.pk)]})
    assert "Add 2 to a group" in text(asked)
    chosen = {"row": [str(person.pk), str(admin.pk)], "group": str(group.pk)}
    assert portal.post(path("user-group-choose"), chosen)["Location"] == own(group)
    assert group.members.count() == 2
    assert "Nothing is chosen" in text(portal.get(path("user-group-choose")))


def test_lists_are_filtered_by_group(portal, make, device, person, tenant, admin, stranger):
    factories.device(tenant, None, name="Elsewhere")
    group, people = make(), make(shape=PEOPLE)
    groups.add_members(group=group, ids=[device.pk], actor=admin.actor)
    groups.add_members(group=people, ids=[person.pk], actor=admin.actor)
    page = portal.get(path("devices:device-list"), {"group": str(group.pk)})
    assert [row.record.pk for row in page.context["table"].page.object_list] == [device.pk]
    assert "Group: Lobby" in text(page)
    page = portal.get(path("user-list"), {"group": str(people.pk)})
    assert [row.record.pk for row in page.context["table"].page.object_list] == [person.pk]
    theirs = groups.create(
        shape=DEVICES, tenant=stranger.tenant, name="Theirs", actor=stranger.actor
    )
    page = text(portal.get(path("devices:device-list"), {"group": str(theirs.pk)}))
    assert "Theirs" not in page


def test_many_groups_are_searched_in_the_filter(portal, make, device):
    for number in range(16):
        make(f"Group {number}")
    assert "data-combobox" in text(portal.get(path("devices:device-list")))


def test_who_may_see_groups_only_sees_no_members(signed_in, tenant, make, device, admin):
    group = make()
    groups.add_members(group=group, ids=[device.pk], actor=admin.actor)
    page = text(signed_in(clerk(tenant, "groups.view")).get(own(group)))
    assert "not who is in them" in page
    assert device.name not in page
    assert own(group, "edit") not in page


def test_nobody_asks_by_a_rule_what_they_may_not_see(signed_in, tenant, make, person):
    """S-16: a preview must not be an oracle."""
    client = signed_in(clerk(tenant, "groups.view", "groups.manage", "devices.view"))
    asked = {"rule-0-field": "person.email", "rule-0-operator": "begins", "rule-0-value": "p"}
    for address in (path("device-group-new-rule"), path("user-group-new-rule")):
        assert client.post(address, BASE | asked | {"do": "refresh"}).status_code == 403
    group = make(rule=MACS)
    assert client.get(own(group, "edit")).status_code == 403


def test_the_number_of_queries_does_not_grow(
    portal, tenant, make, admin, django_assert_max_num_queries
):
    group = make()

    def fill(count):
        ids = [factories.device(tenant, factories.user(tenant)).pk for _ in range(count)]
        groups.add_members(group=group, ids=ids, actor=admin.actor)

    fill(2)
    with django_assert_max_num_queries(25):
        portal.get(own(group))
    fill(20)
    for number in range(10):
        make(f"Group {number}")
    with django_assert_max_num_queries(25):
        portal.get(own(group))
    with django_assert_max_num_queries(12):
        portal.get(path("device-group-list"))


def test_the_history_leads_to_the_group(portal, make):
    group = make(shape=PEOPLE)
    assert own(group) in text(portal.get(path("history-list")))
    assert UserGroup.objects.count() == 1
    assert HistoryEntry.objects.about(group).count() == 1
