from __future__ import annotations

import pytest

from accounts.models import ApiToken
from accounts.services import groups
from accounts.tasks import sweep_groups
from devices.models import DeviceGroup
from tests import factories
from tests.api.conftest import code_of, fields_of

pytestmark = pytest.mark.django_db
MACS = {"match": "all", "rules": [{"field": "platform", "operator": "equals", "value": "mac"}]}


@pytest.mark.parametrize("kind", ["device", "user"])
def test_a_manual_group_is_made_filled_and_emptied(api, device, person, kind):
    member = {"device": device, "user": person}[kind]
    made = api.post(f"{kind}-groups/", {"name": "Loan", "description": "For visitors"})
    assert made.status_code == 201
    body = made.json()
    assert (body["name"], body["kind"], body["rule"]) == ("Loan", "manual", None)
    address = f"{kind}-groups/{body['id']}/"
    filled = api.post(f"{address}members/", {"add": [str(member.pk)]})
    assert filled.json()["member_count"] == 1
    rows = api.all(f"{kind}s/?group={body['id']}")
    assert [row["id"] for row in rows] == [str(member.pk)]
    emptied = api.post(f"{address}members/", {"remove": [str(member.pk)]})
    assert emptied.json()["member_count"] == 0
    assert api.patch(address, {"name": "Lent"}).json()["description"] == "For visitors"
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


def test_a_dynamic_group_is_previewed_made_and_changed(api, tenant):
    mac = factories.device(tenant, None, name="Mac 1", platform="mac")
    shown = api.post("device-groups/preview/", {"rule": MACS})
    assert shown.json() == {
        "rule": MACS,
        "total": 1,
        "sample": [{"id": str(mac.pk), "name": "Mac 1"}],
    }
    assert not DeviceGroup.objects.exists()
    made = api.post("device-groups/", {"name": "Macs here", "rule": MACS}).json()
    assert (made["kind"], made["rule"]) == ("dynamic", MACS)
    sweep_groups.apply().get()
    address = f"device-groups/{made['id']}/"
    assert api.get(address).json()["member_count"] == 1
    other = {"match": "any", "rules": [{"field": "serial", "operator": "blank"}]}
    assert api.patch(address, {"rule": other}).json()["rule"] == other


@pytest.mark.parametrize(
    "rule",
    [
        "platform == 'mac'",
        [],
        {"match": "all", "rules": []},
        {"match": "all", "rules": [{"field": "user__password", "operator": "blank"}]},
        {"match": "all", "rules": [{"field": "platform", "operator": "equals", "value": "amiga"}]},
        {
            "match": "all",
            "rules": [{"field": "platform", "operator": "equals"}],
            "_connector": "OR",
        },
    ],
)
def test_what_is_no_rule_is_refused(api, rule):
    """S-14."""
    for path, body in (
        ("device-groups/", {"name": "X", "rule": rule}),
        ("device-groups/preview/", {"rule": rule}),
    ):
        answer = api.post(path, body)
        assert (answer.status_code, code_of(answer)) == (400, "rule_invalid")
    assert not DeviceGroup.objects.exists()


def test_what_can_be_asked_is_told(api):
    api.post(
        "attributes/",
        {"owner_kind": "device", "key": "place", "label": "Place", "kind": "text"},
    )
    fields = {field["key"]: field for field in api.get("device-groups/fields/").json()}
    assert fields["platform"]["choices"]["mac"] == "Mac"
    assert "between" in fields["os_version"]["operators"]
    assert fields["attr.place"]["name"] == "Place"
    assert "person.email" in fields
    assert "person.password" not in fields
    people = [field["key"] for field in api.get("user-groups/fields/").json()]
    assert "email" in people
    assert "person.email" not in people


@pytest.mark.parametrize(
    "surplus",
    [{"kind": "builtin"}, {"key": "all"}, {"member_count": 5}, {"tenant": "x"}, {"members": []}],
)
def test_nobody_assigns_what_is_not_offered(api, surplus):
    """S-81."""
    answer = api.post("device-groups/", {"name": "X"} | surplus)
    assert (answer.status_code, list(fields_of(answer))) == (400, list(surplus))


def test_refusals_of_the_service_are_told(api, tenant, device, foreign_device):
    groups.create_builtin(shape=groups.grouping.get("device"), tenant=tenant)
    builtin = f"device-groups/{DeviceGroup.objects.get(key='all').pk}/"
    assert api.get(builtin).json()["name"] == "All devices"
    assert code_of(api.patch(builtin, {"name": "X"})) == "group_fixed"
    assert code_of(api.delete(builtin)) == "group_fixed"
    assert code_of(api.post(f"{builtin}members/", {"add": []})) == "group_not_manual"
    made = api.post("device-groups/", {"name": "X"}).json()
    assert code_of(api.post("device-groups/", {"name": "x"})) == "group_name_taken"
    address = f"device-groups/{made['id']}/"
    assert code_of(api.patch(address, {"rule": MACS})) == "group_not_manual"
    both = {"add": [str(device.pk), str(foreign_device.pk)]}
    assert code_of(api.post(f"{address}members/", both)) == "unknown_object"
    assert api.get(address).json()["member_count"] == 0
    rule = {
        "match": "all",
        "rules": [{"field": "group", "operator": "member", "value": made["id"]}],
    }
    api.post("device-groups/", {"name": "Asking", "rule": rule})
    assert code_of(api.delete(address)) == "group_in_use"


def test_permissions_are_asked_for_each_action(caller, owner):
    reader = caller(owner, "groups.view")
    made = caller(owner).post("device-groups/", {"name": "X"}).json()
    assert reader.get(f"device-groups/{made['id']}/").status_code == 200
    assert reader.get("device-groups/fields/").status_code == 200
    for method, path in (
        ("POST", "device-groups/"),
        ("POST", "device-groups/preview/"),
        ("PATCH", f"device-groups/{made['id']}/"),
        ("DELETE", f"device-groups/{made['id']}/"),
        ("POST", f"device-groups/{made['id']}/members/"),
    ):
        assert reader.call(method, path, {"name": "Y"}).status_code == 403, path
    assert caller(owner, "devices.view").get("device-groups/").status_code == 403


def test_a_rule_is_no_oracle(caller, owner):
    """S-16: who may not see people learns nothing of them by a rule."""
    rule = {
        "match": "all",
        "rules": [{"field": "person.email", "operator": "begins", "value": "p"}],
    }
    narrow = caller(owner, "groups.view")
    scopes = ["groups.view", "groups.manage", "devices.view"]
    ApiToken.objects.update(scopes=scopes)
    for path, body in (
        ("device-groups/preview/", {"rule": rule}),
        ("device-groups/", {"name": "X", "rule": rule}),
    ):
        answer = narrow.post(path, body)
        assert (answer.status_code, code_of(answer)) == (403, "not_allowed_to_ask")
    made = narrow.post("device-groups/", {"name": "X"})
    assert made.status_code == 201


@pytest.mark.parametrize("query", ["sort=rule", "sort=tenant", "rule=x", "members__user=1"])
def test_lists_are_sorted_and_filtered_by_known_names_only(api, query):
    """S-14, S-16."""
    assert api.get(f"device-groups/?{query}").status_code == 400


def test_another_organisation_sees_nothing(api, foreign_api):
    made = api.post("device-groups/", {"name": "X"}).json()
    assert foreign_api.all("device-groups/") == []
    assert foreign_api.get(f"device-groups/{made['id']}/").status_code == 404
    assert foreign_api.get(f"devices/?group={made['id']}").status_code == 400


@pytest.mark.parametrize("kind", ["device", "user"])
def test_attributes_are_defined_set_and_cleared(api, device, person, kind):
    member = {"device": device, "user": person}[kind]
    for key, type_ in (
        ("place", "text"),
        ("floor", "number"),
        ("kiosk", "boolean"),
        ("since", "date"),
    ):
        body = {"owner_kind": kind, "key": key, "label": key.title(), "kind": type_}
        assert api.post("attributes/", body).status_code == 201
    address = f"{kind}s/{member.pk}/attributes/"
    values = {"place": "Lobby", "floor": 1.5, "kiosk": True, "since": "2026-01-31"}
    answer = api.patch(address, {"values": values})
    assert answer.json() == {"values": values | {"floor": "1.5"}}
    assert api.patch(address, {"values": {"place": None}}).json()["values"].keys() == {
        "floor",
        "kiosk",
        "since",
    }
    assert api.get(address).json() == api.patch(address, {"values": {}}).json()


def test_a_wrong_value_names_its_attribute(api, device):
    body = {"owner_kind": "device", "key": "floor", "label": "Floor", "kind": "number"}
    made = api.post("attributes/", body).json()
    assert code_of(api.post("attributes/", body)) == "attribute_key_taken"
    answer = api.patch(f"devices/{device.pk}/attributes/", {"values": {"floor": "high"}})
    assert (answer.status_code, code_of(answer)) == (400, "attribute_value_invalid")
    for values in ({"nothing": "x"}, {f"k{n}": 1 for n in range(101)}, [], "x"):
        answer = api.patch(f"devices/{device.pk}/attributes/", {"values": values})
        assert answer.status_code == 400
    address = f"attributes/{made['id']}/"
    assert api.patch(address, {"label": "Storey"}).json()["label"] == "Storey"
    assert api.patch(address, {"key": "x"}).status_code == 400
    assert api.delete(address).status_code == 204


def test_attributes_need_their_permissions(caller, owner, device):
    reader = caller(owner, "settings.view", "devices.view", "users.view")
    assert reader.get("attributes/").status_code == 200
    address = f"devices/{device.pk}/attributes/"
    assert reader.get(address).status_code == 200
    assert reader.patch(address, {"values": {}}).status_code == 403
    assert reader.post("attributes/", {}).status_code == 403


def test_the_number_of_queries_does_not_grow(api, django_assert_max_num_queries):
    for number in range(3):
        api.post("device-groups/", {"name": f"Group {number}", "rule": MACS})
    with django_assert_max_num_queries(6):
        assert len(api.get("device-groups/").json()["results"]) == 3
    for number in range(3, 20):
        api.post("device-groups/", {"name": f"Group {number}", "rule": MACS})
    with django_assert_max_num_queries(6):
        assert len(api.get("device-groups/").json()["results"]) == 20


def test_a_text_with_variables_is_previewed(api, caller, owner, device):
    address = f"devices/{device.pk}/variables/"
    names = {row["name"]: row["value"] for row in api.get(address).json()}
    assert names["device.serial"] == device.serial
    answer = api.post(address, {"text": " ${deviceSN} {$device.build}"})
    assert answer.json() == {"text": f" {device.serial} ", "missing": ["device.build"]}
    wrong = api.post(address, {"text": "${user.password}"})
    assert (wrong.status_code, code_of(wrong)) == (400, "variable_mistake")
    assert caller(owner, "users.view").get(address).status_code == 403
