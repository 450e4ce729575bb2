"""Orders to many devices: written once, carried out once, cancelled, tried again."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import User
from accounts.services import tokens, users
from core import clock
from core.models import HistoryEntry
from devices import actions
from devices.errors import (
    ActionNotAllowed,
    ConfirmationMismatch,
    NothingSelected,
    NotSupported,
    NotYourOperation,
    OperationOver,
    SelectionChanged,
)
from devices.models import Command, Device, Operation, OperationTarget
from devices.services import operation_rows, operation_targets, operation_work, operations
from devices.states import CommandStatus, DeviceState
from tests import factories
from tests.bulk.world import fleet, order, work_off
from tests.portal import history_of

pytestmark = pytest.mark.django_db
LATER = dt.timedelta(minutes=5)


def states(operation) -> dict[str, str]:
    return dict(operation.targets.values_list("label", "state"))


def pass_time(monkeypatch, delta: dt.timedelta = LATER) -> None:
    moment = clock.now() + delta
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_an_order_reaches_every_device_once(tenant, admin):
    devices = fleet(tenant, 60)
    operation = order(admin, "lock", devices, form={"message": ["Call us"], "reason": ["Lost"]})
    assert (operation.state, operation.total, operation.pending_count) == ("running", 60, 60)
    assert not Command.objects.exists()
    operation = work_off(operation)
    assert (operation.state, operation.done_count, operation.due_at) == ("done", 60, None)
    assert Command.objects.count() == 60
    assert {command.params["message"] for command in Command.objects.all()} == {"Call us"}
    assert set(operation.targets.values_list("command__device_id", flat=True)) == {
        device.pk for device in devices
    }
    assert history_of(operation) == ["devices.operation.ordered", "devices.operation.finished"]
    assert history_of(devices[0]) == ["devices.lock.requested"]
    work_off(operation)
    assert Command.objects.count() == 60


def test_what_does_not_fit_is_left_out_and_says_why(tenant, admin):
    active = factories.device(tenant, name="active")
    gone = factories.device(tenant, name="gone", state=DeviceState.RETIRED)
    old = factories.device(tenant, name="old", state="reset", archived_at=clock.now())
    tv = factories.device(tenant, name="tv", platform="other")
    found = operations.survey(actions.find("lock"), Device.objects.visible_to(admin))
    assert (found.count, found.total, found.sample) == (1, 4, ["active"])
    assert found.excluded == {"wrong_state": 1, "archived": 1, "not_supported": 1}
    operation = work_off(order(admin, "lock", [active, gone, old, tv]))
    assert states(operation) == {
        "active": "done",
        "gone": "skipped",
        "old": "skipped",
        "tv": "skipped",
    }
    assert (operation.done_count, operation.skipped_count) == (1, 3)


def test_devices_of_others_are_never_reached(tenant, admin, foreign_device):
    own = factories.device(tenant)
    operation = order(admin, "lock", [own, foreign_device])
    assert operation.total == 1
    # Even a row that somebody smuggled in does not help.
    OperationTarget.objects.create(
        operation=operation, device=foreign_device, device_key=foreign_device.pk, label="x"
    )
    Operation.objects.filter(pk=operation.pk).update(total=2)
    operation = work_off(operation)
    assert (operation.done_count, operation.failed_count) == (1, 1)
    assert operation.targets.get(device=foreign_device).reason_code == "gone"
    assert not foreign_device.commands.exists()


def test_rights_are_asked_for_again_when_it_is_carried_out(tenant, admin, owner):
    devices = fleet(tenant, 3)
    operation = order(admin, "lock", devices)
    users.set_roles(user=admin, roles=[], principal=owner)
    operation = work_off(operation)
    assert (operation.failed_count, operation.done_count) == (3, 0)
    assert set(operation.targets.values_list("reason_code", flat=True)) == {"no_permission"}
    assert not Command.objects.exists()


@pytest.mark.parametrize("end", ["revoke", "expire", "disable_owner", "delete"])
def test_an_ended_token_carries_nothing_out(tenant, owner, admin, end):
    token, _text = tokens.create(owner=admin, name="x", scopes=["devices.lock"], actor=admin.actor)
    operation = order(token, "lock", fleet(tenant, 2))
    assert operation.requester == admin
    if end == "revoke":
        tokens.revoke(token=token, actor=owner.actor)
    elif end == "expire":
        type(token).objects.update(expires_at=clock.now())
    elif end == "delete":
        token.delete()
    else:
        User.objects.filter(pk=admin.pk).update(is_active=False)
    assert work_off(operation).failed_count == 2
    assert not Command.objects.exists()


def test_a_token_carries_its_order_out_in_its_own_name(tenant, admin):
    token, _text = tokens.create(
        owner=admin, name="robot", scopes=["devices.lock"], actor=admin.actor
    )
    assert work_off(order(token, "lock", fleet(tenant, 2))).done_count == 2
    entry = HistoryEntry.objects.filter(action="devices.lock.requested").first()
    assert (entry.actor_kind, entry.actor_id) == ("token", str(token.pk))


def test_who_may_not_cannot_order(tenant, helpdesk, auditor):
    devices = fleet(tenant, 2)
    with pytest.raises(ActionNotAllowed):
        order(helpdesk, "retire", devices)
    with pytest.raises(ActionNotAllowed):
        order(auditor, "lock", devices)
    with pytest.raises(NotSupported):
        order(helpdesk, "explode", devices)
    assert not Operation.objects.exists()


def test_nothing_is_written_when_nothing_is_meant(tenant, admin):
    with pytest.raises(NothingSelected):
        order(admin, "lock", [factories.device(tenant, state="retired")])
    assert not Operation.objects.exists()


def test_what_was_shown_is_what_is_ordered(tenant, admin):
    devices = fleet(tenant, 3)
    with pytest.raises(SelectionChanged) as refusal:
        order(admin, "lock", devices, expected=2)
    assert refusal.value.count == 3
    assert order(admin, "lock", devices, expected=3).total == 3


def test_a_destructive_order_is_typed(tenant, admin):
    ended = [factories.device(tenant, state="retired") for _ in range(3)]
    for typed in ("", "3", "delete", "delete 2", "OK"):
        with pytest.raises(ConfirmationMismatch):
            order(admin, "delete", ended, confirmation=typed)
    operation = work_off(order(admin, "delete", ended, confirmation="Delete this entry 3"))
    assert operation.done_count == 3
    assert not Device.objects.filter(pk__in=[device.pk for device in ended]).exists()
    target = operation.targets.order_by("pk").first()
    assert (target.device, target.label != "", target.serial != "") == (None, True, True)


def test_a_refusal_of_one_device_is_told_and_the_rest_goes_on(tenant, admin):
    devices = fleet(tenant, 3)
    operation = order(admin, "retire", devices)
    Device.objects.filter(pk=devices[1].pk).update(state=DeviceState.WIPE_PENDING)
    operation = work_off(operation)
    assert states(operation)[devices[1].label] == "skipped"
    assert (operation.done_count, operation.skipped_count) == (2, 1)
    assert operation.targets.get(device=devices[0]).command.kind == "RemoveProfile"


# Killed workers


class Killed(BaseException):
    """What no handler catches, as a kill -9 is not caught."""


@pytest.mark.parametrize("moment", [1, 7, 25, 26, 31])
def test_a_killed_worker_loses_and_doubles_nothing(tenant, admin, monkeypatch, moment):
    operation = order(admin, "lock", fleet(tenant, 40))
    close, calls = operation_targets.close, []

    def dying(*args, **kwargs):
        calls.append(1)
        if len(calls) == moment:
            raise Killed
        close(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(operation_targets, "close", dying)
        with pytest.raises(Killed):
            work_off(operation)
    # The lock of the device whose worker died is undone with its row, and comes again.
    assert Command.objects.count() == moment - 1
    assert operation_work.sweep() == 0
    pass_time(monkeypatch)
    assert operation_work.sweep() == 1
    operation = work_off(operation)
    assert (operation.state, operation.done_count) == ("done", 40)
    assert Command.objects.count() == 40
    assert operation.targets.filter(state="done", command__isnull=False).count() == 40


def test_a_lease_is_respected_until_it_runs_out(tenant, admin, monkeypatch):
    operation = order(admin, "lock", fleet(tenant, 30))
    held = operation_targets.claim(operation, operation.targets.filter(state="pending"))
    assert len(held) == 25
    operation = work_off(operation)
    assert (operation.state, operation.done_count) == ("running", 5)
    pass_time(monkeypatch)
    assert work_off(operation).done_count == 30


def test_what_fails_inside_is_tried_three_times(tenant, admin, monkeypatch):
    operation = order(admin, "lock", fleet(tenant, 1))

    def broken(*args, **kwargs):
        raise RuntimeError("no database today")

    monkeypatch.setattr(operation_work.operations, "misfit", broken)
    for _ in range(3):
        operation = work_off(operation)
        pass_time(monkeypatch)
    assert (operation.failed_count, operation.state) in ((1, "running"), (1, "done"))
    assert operation.targets.get().reason_code == "internal"
    assert work_off(operation).state == "done"
    assert "no database" not in operation.targets.get().reason


# Cancelling


def test_cancel_stops_what_has_not_left_and_says_how_many(tenant, admin):
    devices = fleet(tenant, 60)
    operation = order(admin, "lock", devices)
    assert operation_work._work_batch(Operation.objects.get(pk=operation.pk))
    sent = Command.objects.order_by("pk").first()
    Command.objects.filter(pk=sent.pk).update(status=CommandStatus.SENT)
    cancelled = operations.cancel(operation=operation, principal=admin)
    assert (cancelled.state, cancelled.cancelled_count) == ("cancelling", 35)
    operation = work_off(operation)
    assert (operation.state, operation.cancelled_count, operation.done_count) == (
        "cancelled",
        59,
        1,
    )
    assert Command.objects.filter(status=CommandStatus.CANCELLED).count() == 24
    sent.refresh_from_db()
    assert sent.status == CommandStatus.SENT
    with pytest.raises(OperationOver):
        operations.cancel(operation=operation, principal=admin)


def test_cancelled_orders_give_devices_back(tenant, admin):
    devices = fleet(tenant, 5)
    operation = work_off(order(admin, "retire", devices))
    assert Device.objects.filter(state="retire_pending").count() == 5
    operations.cancel(operation=operation, principal=admin)
    operation = work_off(operation)
    assert Device.objects.filter(state="active").count() == 5
    assert (operation.state, operation.cancelled_count) == ("cancelled", 5)


def test_who_may_cancel(tenant, admin, helpdesk, auditor, stranger):
    operation = order(helpdesk, "lock", fleet(tenant, 3))
    for somebody in (auditor, stranger):
        with pytest.raises(NotYourOperation):
            operations.cancel(operation=operation, principal=somebody)
    assert operations.cancel(operation=operation, principal=helpdesk).state == "cancelled"
    other = order(helpdesk, "lock", fleet(tenant, 3))
    assert operations.cancel(operation=other, principal=admin).cancelled_count == 3
    assert work_off(other).done_count == 0


def test_an_order_that_is_over_is_not_cancelled(tenant, admin):
    operation = work_off(order(admin, "check_in", fleet(tenant, 2)))
    with pytest.raises(OperationOver):
        operations.cancel(operation=operation, principal=admin)


# Trying again


def test_only_what_failed_is_tried_again(tenant, admin):
    devices = fleet(tenant, 4)
    operation = work_off(order(admin, "lock", devices, form={"message": ["Hi"], "reason": [""]}))
    first, second, *_rest = Command.objects.order_by("pk")
    Command.objects.filter(pk=first.pk).update(status=CommandStatus.ERROR)
    Command.objects.filter(pk=second.pk).update(status=CommandStatus.EXPIRED)
    again = operations.retry(
        operation=operation, principal=admin, devices=Device.objects.visible_to(admin)
    )
    assert (again.retry_of, again.total) == (operation, 2)
    assert set(again.targets.values_list("device_id", flat=True)) == {
        first.device_id,
        second.device_id,
    }
    work_off(again)
    assert Command.objects.filter(params__message="Hi").count() == 6


def test_destructive_orders_are_given_anew(tenant, admin):
    ended = [factories.device(tenant, state="retired")]
    operation = order(admin, "delete", ended, confirmation="delete 1")
    with pytest.raises(NotSupported):
        operations.retry(
            operation=operation, principal=admin, devices=Device.objects.visible_to(admin)
        )


# Secrets and size


def test_the_form_is_sealed(tenant, admin):
    operation = order(admin, "lock", fleet(tenant, 1), form={"message": ["geheim"], "reason": [""]})
    row = Operation.objects.get(pk=operation.pk)
    assert b"geheim" not in bytes(row.sealed_form)
    assert operation_rows.content_of(row)["form"]["message"] == ["geheim"]


def test_the_hash_binds_targets_and_parameters(tenant, admin):
    devices = fleet(tenant, 3)
    first = order(admin, "lock", devices, form={"message": ["a"], "reason": [""]})
    same = order(admin, "lock", devices, form={"message": ["a"], "reason": [""]})
    other = order(admin, "lock", devices, form={"message": ["b"], "reason": [""]})
    fewer = order(admin, "lock", devices[:2], form={"message": ["a"], "reason": [""]})
    assert first.targets_hash == same.targets_hash == operation_rows.current_hash(first)
    assert len({first.targets_hash, other.targets_hash, fewer.targets_hash}) == 3


def test_ten_thousand_devices_are_frozen_with_few_queries(
    tenant, admin, django_assert_max_num_queries
):
    fleet(tenant, 10_000)
    with django_assert_max_num_queries(200):
        operation = operations.create(
            principal=admin,
            action_key="lock",
            devices=Device.objects.visible_to(admin),
            form={"reason": [""]},
        )
    assert operation.targets.count() == operation.total == 10_000
