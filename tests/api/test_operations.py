"""API: orders to many devices, wipe protection and log."""

from __future__ import annotations

import uuid

import pytest

from devices.models import Command, Operation
from devices.services import safeguards
from tests import factories
from tests.api.conftest import code_of, fields_of
from tests.bulk.world import fleet, limit, work_off

pytestmark = pytest.mark.django_db


def body(action, devices, **fields):
    return {"action": action, "devices": [str(device.pk) for device in devices], **fields}


def test_an_order_is_accepted_and_followed(api, tenant):
    devices = fleet(tenant, 3)
    params = {"message": "Call us", "reason": "Lost"}
    answer = api.post("operations/", body("lock", devices, params=params, expected=3))
    assert answer.status_code == 202, answer.content
    row = answer.json()
    assert (row["state"], row["total"], row["pending_count"], row["hold"]) == (
        "running",
        3,
        3,
        None,
    )
    work_off(Operation.objects.get())
    row = api.get(f"operations/{row['id']}/").json()
    assert (row["state"], row["done_count"], row["reason"]) == ("done", 3, "Lost")
    targets = api.all(f"operations/{row['id']}/targets/?state=done")
    assert {target["device"] for target in targets} == {str(device.pk) for device in devices}
    assert all(target["command"] for target in targets)
    assert {command.params["message"] for command in Command.objects.all()} == {"Call us"}


def test_a_filter_names_the_devices(api, tenant):
    fleet(tenant, 4)
    factories.device(tenant, platform="mac")
    asked = {"action": "check_in", "filter": "platform=iphone&state=active"}
    found = api.post("operations/preview/", asked).json()
    assert (found["count"], found["excluded"]) == (4, {})
    assert api.post("operations/", asked).json()["total"] == 4
    everything = api.post("operations/", {"action": "check_in", "filter": ""})
    assert everything.json()["total"] == 5


@pytest.mark.parametrize("query", ["platfrom=mac", "state=nonsense", "state=active&x=1", "user=7"])
def test_a_filter_that_is_not_understood_orders_nothing(api, tenant, query):
    fleet(tenant, 2)
    answer = api.post("operations/", {"action": "check_in", "filter": query})
    assert (answer.status_code, code_of(answer)) == (400, "unknown_filter")
    assert not Operation.objects.exists()


def test_mixed_ids_refuse_the_whole_call(api, tenant, foreign_device):
    devices = fleet(tenant, 2)
    ghost = factories.device(tenant)
    ghost.pk = uuid.uuid4()
    for other in (foreign_device, ghost):
        answer = api.post("operations/", body("lock", [*devices, other]))
        assert (answer.status_code, code_of(answer)) == (400, "unknown_devices")
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"devices": []},
        {"devices": ["x"]},
        {"devices": None},
        {"devices": "all"},
        {"filter": "state=active"},
        {"params": {"tenant": "globex"}},
        {"params": {"message": {"a": 1}}},
        {"params": {"message": "x" * 300}},
        {"params": []},
        {"action": "explode"},
        {"action": ""},
        {"force": True},
        {"expected": 7},
        {"expected": -1},
    ],
)
def test_what_makes_no_sense_is_refused(api, tenant, fields):
    answer = api.post("operations/", body("lock", fleet(tenant, 2)) | fields)
    assert answer.status_code in (400, 409)
    assert not Operation.objects.exists()


def test_every_order_needs_the_right_of_its_action(caller, owner, tenant):
    program = caller(owner, "devices.lock")
    devices = fleet(tenant, 2)
    assert program.post("operations/", body("lock", devices)).status_code == 202
    for call in ("operations/", "operations/preview/"):
        answer = program.post(call, body("retire", devices))
        assert (answer.status_code, code_of(answer)) == (403, "action_not_allowed")


def test_another_organisation_sees_nothing(api, foreign_api, tenant):
    made = api.post("operations/", body("lock", fleet(tenant, 2))).json()
    for call in ("", "targets/"):
        assert foreign_api.get(f"operations/{made['id']}/{call}").status_code == 404
    for call in ("cancel/", "retry/"):
        assert foreign_api.post(f"operations/{made['id']}/{call}").status_code == 404
    assert foreign_api.all("operations/") == []


def test_a_repetition_orders_once(api, tenant):
    wanted, key = body("lock", fleet(tenant, 2)), {"Idempotency-Key": "night-1"}
    first = api.post("operations/", wanted, **key)
    again = api.post("operations/", wanted, **key)
    assert (again.status_code, again.json()) == (202, first.json())
    assert Operation.objects.count() == 1


def test_cancel_and_retry(api, tenant):
    made = api.post("operations/", body("lock", fleet(tenant, 3))).json()
    cancelled = api.post(f"operations/{made['id']}/cancel/", {"reason": "Mistake"})
    assert (cancelled.status_code, cancelled.json()["cancelled_count"]) == (202, 3)
    over = api.post(f"operations/{made['id']}/cancel/")
    assert (over.status_code, code_of(over)) == (409, "operation_over")
    nothing = api.post(f"operations/{made['id']}/retry/")
    assert code_of(nothing) == "nothing_selected"


def test_a_wipe_of_many(api, owner, admin, tenant):
    limit(tenant, 50)
    devices = fleet(tenant, 12)
    wanted = body("wipe", devices, params={"reason": "Stolen"})
    assert code_of(api.post("operations/", wanted)) == "confirmation_mismatch"
    missing = api.post("operations/", wanted | {"params": {}, "confirmation": "wipe 12"})
    assert "params" in fields_of(missing)
    row = api.post("operations/", wanted | {"confirmation": "wipe 12"}).json()
    assert (row["state"], row["hold"]["why"], row["hold"]["state"]) == ("held", "many", "waiting")
    device = api.get(f"devices/{devices[0].pk}/").json()
    assert (device["state"], device["waiting_operation"]) == ("active", row["id"])
    stopped = api.post(f"operations/{row['id']}/cancel/", {"reason": "No"}).json()
    assert (stopped["state"], stopped["hold"]["state"]) == ("cancelled", "stopped")


def test_nobody_approves_with_a_token(api, tenant, admin):
    limit(tenant, 50)
    wanted = body("wipe", fleet(tenant, 12), params={"reason": "x"}, confirmation="wipe 12")
    row = api.post("operations/", wanted).json()
    for call in (f"operations/{row['id']}/approve/", f"approvals/{row['hold']['id']}/approve/"):
        assert api.post(call).status_code == 404


def test_a_single_wipe_that_is_held_says_where(api, admin, tenant):
    limit(tenant, 50)
    for device in fleet(tenant, 3):
        wanted = {"confirmation": device.label, "reason": "Stolen"}
        answer = api.post(f"devices/{device.pk}/wipe/", wanted)
    assert answer.status_code == 202
    assert answer.json()["state"] == "active"
    assert answer.json()["waiting_operation"] == str(Operation.objects.get().pk)


def test_the_wipe_log(api, caller, owner, tenant, foreign_api):
    device = factories.device(tenant, name="Lost")
    api.post(f"devices/{device.pk}/wipe/", {"confirmation": "Lost", "reason": "Train"})
    (row,) = api.all("wipes/?outcome=ordered&q=train")
    assert (row["label"], row["reason"], row["requested_by"]["kind"]) == ("Lost", "Train", "token")
    assert api.all("wipes/?outcome=wiped") == []
    assert foreign_api.all("wipes/") == []
    assert caller(owner, "users.view").get("wipes/").status_code == 403


def test_protection(api, caller, owner, admin, tenant, foreign_api):
    assert api.get("wipe-protection/").json()["wipe_limit"] == 1
    for number in (0, 201, "x", None):
        assert api.patch("wipe-protection/", {"wipe_limit": number}).status_code == 400
    row = api.patch("wipe-protection/", {"wipe_limit": 20, "reason": "Roll-out"}).json()
    assert (row["wipe_limit"], row["coming"]["kind"]) == (1, "limit")
    limit(tenant, 30)
    row = api.patch("wipe-protection/", {"wipe_limit": 3}).json()
    assert (row["wipe_limit"], row["coming"]) == (3, None)
    assert foreign_api.get("wipe-protection/").json()["wipe_limit"] == 1
    assert caller(admin).post("wipe-protection/freeze/", {"reason": "x"}).status_code == 403
    assert api.post("wipe-protection/freeze/", {}).status_code == 400
    frozen = api.post("wipe-protection/freeze/", {"reason": "Break-in"}).json()
    assert (frozen["is_frozen"], frozen["freeze_reason"]) == (True, "Break-in")
    assert api.post("wipe-protection/lift/", {"reason": "x"}).status_code == 404
    assert safeguards.of(tenant.pk).is_frozen
    device = fleet(tenant, 1)[0]
    refused = api.post(f"devices/{device.pk}/retire/", {})
    assert (refused.status_code, code_of(refused)) == (409, "frozen")
