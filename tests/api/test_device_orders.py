"""What a program orders of devices: rights, confirmations, repetitions."""

from __future__ import annotations

import pytest

from core.models import AnsweredCall, HistoryEntry
from devices.models import Command, Device
from devices.states import CommandStatus, DeviceState
from tests import factories
from tests.api.conftest import code_of, fields_of
from tests.portal import history_of

pytestmark = pytest.mark.django_db
ORDERS = ["check-in", "lock", "retire", "wipe", "cancel", "reveal-pin"]


def url(device, order):
    return f"devices/{device.pk}/{order}/"


@pytest.fixture
def phone(device):
    device.name = "Pia's iPhone"
    device.save()
    return device


def wipe(device, /, **fields):
    return {"confirmation": device.label, "reason": "stolen"} | fields


def test_a_device_tells_everything_but_secrets(api, phone, person):
    row = api.get(f"devices/{phone.pk}/").json()
    assert row["label"] == "Pia's iPhone"
    assert row["identifier"] == phone.physical.key
    assert row["user"] == {"id": str(person.pk), "email": person.email, "name": person.name}
    assert set(row["actions"]) >= {
        "assign",
        "check_in",
        "lock",
        "retire",
        "set_ownership",
        "wipe",
    }
    assert not {"cancel", "delete", "lost_mode", "locate"} & set(row["actions"])
    assert row["last_seen_at"]


def test_an_archived_entry_is_found_by_its_key(api, tenant):
    old = factories.device(tenant, archived_at="2026-01-01T00:00:00Z", state=DeviceState.RESET)
    row = api.get(f"devices/{old.pk}/").json()
    assert (row["state"], row["actions"]) == ("reset", ["delete"])


def test_the_inventory_is_told_part_by_part(api, phone):
    from core import clock

    phone.inventory.create(kind="security", data={"a": 1}, collected_at=clock.now())
    assert api.get(f"devices/{phone.pk}/inventory/").json()[0]["data"] == {"a": 1}


def test_check_in_queues_and_is_written(api, phone):
    answer = api.post(url(phone, "check-in"))
    assert answer.status_code == 202
    assert phone.commands.open().count() > 1
    assert "devices.check_in.requested" in history_of(phone)
    entry = HistoryEntry.objects.get(action="devices.check_in.requested")
    assert entry.actor_kind == "token"


def test_lock_returns_its_command(api, phone):
    answer = api.post(
        url(phone, "lock"), {"message": "Call us", "phone": "+33 1 23", "reason": "lost"}
    )
    assert answer.status_code == 202
    command = Command.objects.get(pk=answer.json()["id"])
    assert (command.kind, command.device) == ("DeviceLock", phone)
    assert api.get(f"commands/{command.pk}/").json()["reason"] == "lost"
    assert [row["id"] for row in api.all(f"commands/?device={phone.pk}")] == [str(command.pk)]


def test_a_macs_lock_pin_is_revealed_with_its_own_right_only(api, caller, owner, tenant):
    mac = factories.device(tenant, platform="mac", name="Studio")
    assert api.post(url(mac, "lock")).status_code == 202
    shown = api.get(f"devices/{mac.pk}/").content + api.get("commands/").content
    without = caller(owner, "devices.lock")
    assert without.post(url(mac, "reveal-pin")).status_code == 403
    pin = api.post(url(mac, "reveal-pin")).json()["pin"]
    assert len(pin) == 6
    assert pin.encode() not in shown
    assert "devices.pin.revealed" in history_of(mac)


def test_a_device_without_a_pin_reveals_none(api, phone):
    assert api.post(url(phone, "reveal-pin")).json() == {"pin": None}


def test_retire_and_cancel(api, phone):
    answer = api.post(url(phone, "retire"), {"reason": "left"})
    assert (answer.status_code, answer.json()["state"]) == (202, "retire_pending")
    assert api.post(url(phone, "cancel")).json()["state"] == "active"
    again = api.post(url(phone, "cancel"))
    assert (again.status_code, code_of(again)) == (409, "cannot_cancel")


def test_a_wipe_takes_the_name_and_a_reason(api, phone):
    answer = api.post(url(phone, "wipe"), wipe(phone))
    assert (answer.status_code, answer.json()["state"]) == (202, "wipe_pending")
    assert phone.commands.open().get().kind == "EraseDevice"


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"confirmation": "OK"}, "confirmation_mismatch", "confirmation"),
        ({"confirmation": ""}, "invalid", "confirmation"),
        ({"reason": ""}, "invalid", "reason"),
        ({"reason": "   "}, "invalid", "reason"),
        ({"confirmation": None}, "invalid", "confirmation"),
        ({"confirmation": ["Pia's iPhone"]}, "invalid", "confirmation"),
        ({"reason": "x" * 501}, "invalid", "reason"),
        ({"options": {"all": True}}, "invalid", "options"),
        ({"device": "other"}, "invalid", "device"),
        ({"force": True}, "invalid", "force"),
    ],
)
def test_a_wipe_without_them_is_refused(api, phone, fields, code, field):
    answer = api.post(url(phone, "wipe"), wipe(phone, **fields))
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert list(fields_of(answer)) == [field]
    phone.refresh_from_db()
    assert phone.state == DeviceState.ACTIVE
    assert not phone.commands.exists()


def test_one_wipe_at_a_time(api, phone, tenant):
    other = factories.device(tenant)
    api.post(url(phone, "wipe"), wipe(phone))
    answer = api.post(url(other, "wipe"), wipe(other))
    assert (answer.status_code, code_of(answer)) == (409, "wipe_limit")


@pytest.mark.parametrize("order", ["check-in", "lock", "retire", "wipe"])
def test_an_ended_device_takes_no_orders(api, tenant, order):
    ended = factories.device(tenant, state=DeviceState.RETIRED)
    answer = api.post(url(ended, order), wipe(ended) if order == "wipe" else {})
    assert answer.status_code in (400, 409)
    assert code_of(answer) in ("not_supported", "wrong_state")


@pytest.mark.parametrize("order", ORDERS)
def test_another_organisations_device_does_not_exist(foreign_api, phone, order):
    answer = foreign_api.post(url(phone, order), wipe(phone))
    assert (answer.status_code, code_of(answer)) == (404, "not_found")
    assert not phone.commands.exists()
    assert history_of(phone) == []


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_needs_its_own_right(caller, owner, phone, order):
    name = order.replace("-", "_")
    others = {name for name in owner.permissions if name.startswith("devices.")}
    program = caller(owner, *(others - {f"devices.{name}"}))
    assert program.post(url(phone, order), wipe(phone)).status_code == 403


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_is_a_post(api, phone, order):
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert api.call(method, url(phone, order), {}).status_code in (403, 405)
    assert not phone.commands.exists()


def test_an_ended_entry_is_deleted_and_an_active_one_is_not(api, tenant, phone):
    ended = factories.device(tenant, state=DeviceState.RETIRED)
    assert api.delete(f"devices/{ended.pk}/").status_code == 204
    assert not Device.objects.filter(pk=ended.pk).exists()
    assert api.delete(f"devices/{phone.pk}/").status_code == 400
    assert Device.objects.filter(pk=phone.pk).exists()


def test_a_device_is_not_edited(api, phone):
    body = {"name": "x", "state": "wiped", "tenant": "globex"}
    for method in ("PUT", "PATCH"):
        assert api.call(method, f"devices/{phone.pk}/", body).status_code in (403, 405)
    assert api.post("devices/", body).status_code in (403, 405)


@pytest.mark.parametrize(
    "body",
    [
        b"{broken",
        b"\x00",
        b"[" * 100_000,
        b'{"reason": NaN}',
        b'{"reason": "' + b"9" * 10_000 + b'"}',
        b'{"reason": ' + b"9" * 10_000 + b"}",
        b'{"reason": "\\u0000"}',
        b'{"reason": {"a": 1}}',
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
    ],
)
def test_a_body_that_makes_no_sense_is_refused(api, phone, body):
    answer = api.call("POST", url(phone, "retire"), body)
    assert answer.status_code == 400
    assert "Traceback" not in answer.content.decode()
    phone.refresh_from_db()
    assert phone.state == DeviceState.ACTIVE


def test_another_kind_of_body_is_refused(api, phone, client):
    answer = client.post(
        f"/api/v1/{url(phone, 'retire')}",
        {"reason": "form"},
        headers={"Authorization": f"Bearer {api.token}"},
    )
    assert answer.status_code == 415


def test_a_huge_body_is_refused_unread(api, phone):
    answer = api.call("POST", url(phone, "retire"), b'{"reason": "' + b"x" * 3_000_000)
    assert answer.status_code == 413


# Repetitions (I1)


def test_a_repetition_with_its_key_does_nothing_more(api, phone):
    first = api.post(url(phone, "lock"), {"reason": "lost"}, **{"Idempotency-Key": "lock-1"})
    Command.objects.update(status=CommandStatus.ACKNOWLEDGED)
    again = api.post(url(phone, "lock"), {"reason": "lost"}, **{"Idempotency-Key": "lock-1"})
    assert again.status_code == first.status_code == 202
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert Command.objects.count() == 1
    assert history_of(phone) == ["devices.lock.requested"]


def test_one_key_for_two_things_is_refused(api, phone):
    key = {"Idempotency-Key": "k"}
    assert api.post(url(phone, "retire"), {"reason": "a"}, **key).status_code == 202
    other_body = api.post(url(phone, "retire"), {"reason": "b"}, **key)
    assert (other_body.status_code, code_of(other_body)) == (422, "idempotency_key_reused")
    other_path = api.post(url(phone, "cancel"), {"reason": "a"}, **key)
    assert code_of(other_path) == "idempotency_key_reused"
    phone.refresh_from_db()
    assert phone.state == DeviceState.RETIRE_PENDING


def test_a_failed_call_leaves_its_key_free(api, phone):
    key = {"Idempotency-Key": "k"}
    assert api.post(url(phone, "wipe"), wipe(phone, confirmation="no"), **key).status_code == 400
    assert not AnsweredCall.objects.exists()
    assert api.post(url(phone, "wipe"), wipe(phone), **key).status_code == 202


def test_keys_belong_to_their_caller(api, caller, admin, phone):
    key = {"Idempotency-Key": "k"}
    api.post(url(phone, "retire"), {}, **key)
    second = caller(admin).post(url(phone, "retire"), {}, **key)
    assert (second.status_code, code_of(second)) == (409, "wrong_state")


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "é"])
def test_a_strange_key_is_refused(api, phone, key):
    answer = api.post(url(phone, "retire"), {}, **{"Idempotency-Key": key})
    assert (answer.status_code, code_of(answer)) == (400, "bad_idempotency_key")


def test_remembered_answers_are_forgotten_after_days(api, phone):
    import datetime as dt

    from core import clock
    from core.services import cleanup

    api.post(url(phone, "retire"), {}, **{"Idempotency-Key": "k"})
    assert cleanup.forget_answered_calls() == 0
    AnsweredCall.objects.update(created_at=clock.now() - dt.timedelta(days=4))
    assert cleanup.forget_answered_calls() == 1


def test_changes_are_limited(api, phone, monkeypatch):
    from core.api import views

    monkeypatch.setattr(views, "WRITES_PER_MINUTE", 3)
    answers = [api.post(url(phone, "check-in")).status_code for _ in range(5)]
    assert answers == [202, 202, 202, 429, 429]
    assert api.get("devices/").status_code == 200


def supervise(device):
    from apple.models import AppleDevice
    from apple.services import tokens

    AppleDevice.objects.create(
        device=device, sealed_unlock_token=tokens.seal_unlock(device.pk, b"open sesame")
    )
    Device.objects.filter(pk=device.pk).update(is_supervised=True)


REMOTE = {
    "clear-passcode": ({"reason": "forgotten"}, "ClearPasscode"),
    "restart": ({"notify_user": True}, "RestartDevice"),
    "shut-down": ({}, "ShutDownDevice"),
    "rename": ({"name": "Front desk"}, "Settings"),
    "lost-mode": ({"message": "Call us", "footnote": "Acme"}, "EnableLostMode"),
}


@pytest.mark.parametrize("order", REMOTE)
def test_a_remote_action_answers_with_its_command(api, phone, order):
    supervise(phone)
    body, kind = REMOTE[order]
    answer = api.post(url(phone, order), body | {"reason": "why"})
    assert answer.status_code == 202
    assert (answer.json()["kind"], answer.json()["reason"]) == (kind, "why")
    assert "sesame" not in answer.content.decode()


@pytest.mark.parametrize("order", [*REMOTE, "locate", "play-sound", "lost-mode-off"])
def test_a_device_that_cannot_do_it_refuses(api, phone, order):
    body = REMOTE.get(order, ({}, ""))[0]
    answer = api.post(url(phone, order), body)
    assert (answer.status_code, code_of(answer)) == (400, "not_supported")
    assert not Command.objects.exists()


def test_the_place_of_a_lost_device_is_told_to_whoever_may_see_it(api, phone, owner, helpdesk):
    from devices.services import lost_mode
    from tests.api.conftest import Caller

    assert code_of(api.post(url(phone, "reveal-location"))) == "not_lost"
    lost_mode.begin(device=phone, actor=phone.actor, asked_by=owner.actor.as_dict())
    assert api.post(url(phone, "reveal-location")).json() == {"location": None}
    lost_mode.keep_place(device=phone, latitude=48.5, longitude=2.25, accuracy=None)
    place = api.post(url(phone, "reveal-location")).json()["location"]
    assert (place["latitude"], place["longitude"], place["accuracy"]) == (48.5, 2.25, None)
    assert "48.5" not in api.get(f"devices/{phone.pk}/").content.decode()
    weak = Caller(factories.token(helpdesk)[1])
    assert weak.post(url(phone, "reveal-location")).status_code == 403
    assert history_of(phone).count("devices.location.viewed") == 1


def test_a_device_is_given_to_somebody_or_to_nobody(api, phone, tenant, stranger):
    other = factories.user(tenant)
    answer = api.post(url(phone, "assign"), {"person": str(other.pk)})
    assert answer.json()["user"]["id"] == str(other.pk)
    assert api.post(url(phone, "assign"), {"person": str(stranger.pk)}).status_code == 400
    assert api.post(url(phone, "assign"), {}).status_code == 400
    assert api.post(url(phone, "assign"), {"person": None}).json()["user"] is None


def test_ownership_is_one_of_the_words(api, phone):
    assert api.post(url(phone, "set-ownership"), {"ownership": "mine"}).status_code == 400
    answer = api.post(url(phone, "set-ownership"), {"ownership": "company"})
    assert answer.json()["ownership"] == "company"


def test_an_order_is_closed_with_name_and_reason(api, phone):
    assert code_of(api.post(url(phone, "close-order"), wipe(phone))) == "no_open_order"
    api.post(url(phone, "retire"))
    assert fields_of(api.post(url(phone, "close-order"), wipe(phone, confirmation="x")))
    assert api.post(url(phone, "close-order"), wipe(phone)).json()["state"] == "retired"


def test_a_wipe_takes_its_options(api, phone):
    answer = api.post(
        url(phone, "wipe"),
        wipe(phone, preserve_data_plan=False, return_to_service=True, wifi_profile="d2lmaQ=="),
    )
    assert answer.status_code == 202
    command = Command.objects.get(kind="EraseDevice")
    assert command.params == {"preserve_data_plan": False, "return_to_service": True}
    assert b"d2lmaQ" not in bytes(command.sealed_params)
    shown = api.get(f"commands/{command.pk}/raw/").json()["request"]
    assert "PreserveDataPlan" in shown
    assert "d2lmaQ" not in shown


def test_a_command_is_cancelled_once_and_orders_are_not(api, phone):
    command = api.post(url(phone, "lock")).json()
    answer = api.post(f"commands/{command['id']}/cancel/", {"reason": "found"})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert code_of(api.post(f"commands/{command['id']}/cancel/")) == "command_finished"
    api.post(url(phone, "retire"))
    order = Command.objects.open().get(kind="RemoveProfile")
    assert code_of(api.post(f"commands/{order.pk}/cancel/")) == "command_is_order"


def test_raw_commands_have_their_own_right(phone, auditor):
    from tests.api.conftest import Caller

    command = factories.command(phone, "DeviceLock", status="queued")
    caller = Caller(factories.token(auditor)[1])
    assert caller.get(f"commands/{command.pk}/").status_code == 200
    assert caller.get(f"commands/{command.pk}/raw/").status_code == 403
    assert caller.post(f"commands/{command.pk}/cancel/").status_code == 403
