"""Wipe governance: limit, hold, second administrator, delay, cool-down, freeze and log."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Role, User
from accounts.services import tokens, users
from core import clock, secrets
from core.actors import Actor
from core.models import HistoryEntry, OutboxMessage
from devices import errors
from devices.models import (
    Command,
    Device,
    Hold,
    Operation,
    OperationTarget,
    Safeguard,
    WipeOrder,
)
from devices.services import commands, holds, lifecycle, operations, safeguards, wipes
from devices.services.commands import Result
from devices.states import CommandStatus, DeviceState
from tests import factories
from tests.bulk.world import fleet, limit, wipe, work_off
from tests.portal import history_of

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def second(tenant):
    return factories.user(tenant, "administrator", email="zoe.second@acme.test")


@pytest.fixture
def clocked(monkeypatch):
    """Let time pass: `clocked(delta)`."""
    now = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: now[0])

    def ahead(delta):
        now[0] += delta

    return ahead


def single(device, user, reason="Stolen"):
    return wipes.order(device=device, actor=user.actor, confirmation=device.label, reason=reason)


def mails(**fields) -> set[str]:
    rows = OutboxMessage.objects.filter(kind="mail", **fields)
    return set(rows.values_list("recipient", flat=True))


def many(tenant, user, number=12):
    """A held order over `number` devices of a large fleet."""
    devices = fleet(tenant, number)
    limit(tenant, 200)
    return wipe(user, devices)


# The limit


def test_one_wipe_at_a_time_until_somebody_decides_otherwise(tenant, admin):
    first, second, third = fleet(tenant, 3)
    single(first, admin)
    with pytest.raises(errors.WipeLimitReached) as refusal:
        single(second, admin)
    assert (refusal.value.limit, refusal.value.waiting) == (1, 1)
    limit(tenant, 2)
    single(second, admin)
    commands.hand_out(channel=first.channels.get(), is_idle=True)
    with pytest.raises(errors.WipeLimitReached):
        wipe(admin, [third, *fleet(tenant, 1)])


def test_what_waits_in_an_order_counts_for_the_limit(tenant, admin, second):
    fleet(tenant, 200)
    limit(tenant, 3)
    wipe(admin, fleet(tenant, 2))
    single(fleet(tenant, 1)[0], admin)
    with pytest.raises(errors.WipeLimitReached):
        single(fleet(tenant, 1)[0], second)


def test_the_limit_has_a_range(tenant, admin):
    for number in (0, 201, -1):
        with pytest.raises(ValidationError):
            holds.change_limit(tenant=tenant, limit=number, actor=admin.actor, reason="x")
    assert safeguards.of(tenant.pk).wipe_limit == 1


def test_a_higher_limit_takes_a_second_person_and_a_day(tenant, admin, second, clocked):
    hold = holds.change_limit(tenant=tenant, limit=50, actor=admin.actor, reason="Roll-out")
    assert mails() == {admin.email, second.email}
    with pytest.raises(errors.CannotApprove):
        holds.approve(hold=hold, approver=admin, shown_hash=hold.content_hash)
    holds.approve(hold=hold, approver=second, shown_hash=hold.content_hash)
    clocked(23 * HOUR)
    assert holds.settle_due() == 0
    assert safeguards.of(tenant.pk).wipe_limit == 1
    clocked(2 * HOUR)
    assert holds.settle_due() == 1
    assert safeguards.of(tenant.pk).wipe_limit == 50
    assert holds.settle_due() == 0
    assert "devices.limit.changed" in history_of(safeguards.of(tenant.pk))


def test_a_higher_limit_that_nobody_approves_never_comes(tenant, admin, second, clocked):
    hold = holds.change_limit(tenant=tenant, limit=50, actor=admin.actor, reason="x")
    clocked(25 * HOUR)
    assert holds.settle_due() == 1
    hold.refresh_from_db()
    assert (hold.state, safeguards.of(tenant.pk).wipe_limit) == ("expired", 1)


def test_a_higher_limit_can_be_stopped_even_after_it_was_approved(tenant, admin, second, clocked):
    hold = holds.change_limit(tenant=tenant, limit=50, actor=admin.actor, reason="x")
    holds.approve(hold=hold, approver=second, shown_hash=hold.content_hash)
    holds.stop_by(hold=hold, principal=second, reason="No")
    clocked(25 * HOUR)
    assert holds.settle_due() == 0
    assert safeguards.of(tenant.pk).wipe_limit == 1


def test_a_lower_limit_holds_at_once_and_ends_a_higher_wish(tenant, admin, second):
    limit(tenant, 50)
    assert holds.change_limit(tenant=tenant, limit=100, actor=admin.actor, reason="x")
    assert holds.change_limit(tenant=tenant, limit=5, actor=admin.actor) is None
    assert safeguards.of(tenant.pk).wipe_limit == 5
    assert holds.coming_limit(tenant.pk) is None
    with pytest.raises(errors.ReasonMissing):
        holds.change_limit(tenant=tenant, limit=6, actor=admin.actor, reason=" ")


# The hold


def test_ten_go_at_once_and_eleven_wait(tenant, admin, second):
    fleet(tenant, 1000)
    limit(tenant, 200)
    assert work_off(wipe(admin, fleet(tenant, 10))).done_count == 10
    eleventh = fleet(tenant, 1)[0]
    single(eleventh, admin)
    eleventh.refresh_from_db()
    assert eleventh.state == DeviceState.ACTIVE
    held = holds.waiting_for(eleventh.pk)
    assert (held.state, held.hold.why, held.total) == ("held", "many", 1)
    assert not eleventh.commands.exists()
    with pytest.raises(errors.WipeWaits):
        single(eleventh, second)


def test_the_window_ends(tenant, admin, second, clocked):
    fleet(tenant, 1000)
    limit(tenant, 200)
    work_off(wipe(admin, fleet(tenant, 10)))
    clocked(dt.timedelta(minutes=21))
    device = fleet(tenant, 1)[0]
    assert single(device, admin).state == DeviceState.WIPE_PENDING


def test_a_few_percent_of_a_small_fleet_wait(tenant, admin, second):
    limit(tenant, 200)
    devices = fleet(tenant, 20)
    single(devices[0], admin)
    single(devices[1], admin)
    single(devices[2], admin)
    assert holds.waiting_for(devices[2].pk).hold.why == "share"
    assert wipe(admin, devices[3:5]).state == "held"


def test_cancelled_wipes_do_not_count(tenant, admin, second):
    limit(tenant, 200)
    devices = fleet(tenant, 20)
    for device in devices[:5]:
        single(device, admin)
        lifecycle.cancel_order(device=device, actor=admin.actor)
    assert not Hold.objects.exists()
    assert set(WipeOrder.objects.values_list("outcome", flat=True)) == {"cancelled"}


def test_approval_by_a_second_person_lets_it_go(tenant, admin, second):
    operation = many(tenant, admin)
    hold = operation.hold
    assert (operation.state, hold.mode, operation.due_at) == ("held", "approval", None)
    assert work_off(operation).done_count == 0
    assert mails() == {admin.email, second.email}
    OutboxMessage.objects.all().delete()
    holds.approve(hold=hold, approver=second, shown_hash=hold.content_hash)
    operation = work_off(operation)
    assert (operation.state, operation.done_count) == ("done", 12)
    assert mails() == {admin.email, second.email}
    assert set(WipeOrder.objects.values_list("requester_label", "approver_label")) == {
        (admin.email, second.email)
    }
    assert history_of(operation) == [
        "devices.operation.ordered",
        "devices.wipe.held",
        "devices.wipe.approved",
        "devices.operation.finished",
    ]


def refused(hold, approver, shown_hash=None):
    with pytest.raises(errors.CannotApprove) as refusal:
        holds.approve(hold=hold, approver=approver, shown_hash=shown_hash or hold.content_hash)
    hold.refresh_from_db()
    assert hold.state == "waiting"
    return refusal.value.why


def test_who_cannot_approve(tenant, admin, second, owner, helpdesk, stranger):
    hold = many(tenant, admin).hold
    assert refused(hold, admin) == "is_requester"
    assert refused(hold, helpdesk) == "no_permission"
    assert refused(hold, stranger) == "no_permission"
    token, _text = tokens.create(
        owner=second, name="x", scopes=["devices.wipe"], actor=second.actor
    )
    assert refused(hold, token) == "not_signed_in"
    User.objects.filter(pk=second.pk).update(is_active=False)
    assert refused(hold, User.objects.get(pk=second.pk)) == "no_permission"


def test_the_token_of_the_requester_is_the_requester(tenant, admin, second):
    token, _text = tokens.create(owner=admin, name="x", scopes=["devices.wipe"], actor=admin.actor)
    hold = many(tenant, token).hold
    assert hold.requester == admin
    assert refused(hold, admin) == "is_requester"
    holds.approve(hold=hold, approver=second, shown_hash=hold.content_hash)


def test_new_rights_decide_nothing_for_three_days(tenant, admin, owner, clocked):
    newcomer = factories.user(tenant)
    role = Role.objects.get(tenant=tenant, key="administrator")
    users.set_roles(user=newcomer, roles=[role], principal=owner)
    newcomer = User.objects.get(pk=newcomer.pk)
    hold = many(tenant, admin).hold
    assert refused(hold, newcomer) == "cool_down"
    clocked(73 * HOUR)
    late = many(tenant, admin).hold
    holds.approve(hold=late, approver=newcomer, shown_hash=late.content_hash)


def test_whoever_got_their_rights_from_the_requester_cannot_approve(tenant, owner, second, clocked):
    puppet = factories.user(tenant)
    role = Role.objects.get(tenant=tenant, key="administrator")
    users.set_roles(user=puppet, roles=[role], principal=owner)
    clocked(73 * HOUR)
    hold = many(tenant, owner).hold
    assert refused(hold, User.objects.get(pk=puppet.pk)) == "promoted_by_requester"


def test_a_woken_account_is_new_again(tenant, admin, owner, second):
    users.set_enabled(user=second, enabled=False, actor=owner.actor)
    users.set_enabled(user=second, enabled=True, actor=owner.actor)
    assert refused(many(tenant, admin).hold, User.objects.get(pk=second.pk)) == "cool_down"


def test_every_wipe_of_a_newcomer_waits(tenant, owner, second):
    newcomer = factories.user(tenant)
    role = Role.objects.get(tenant=tenant, key="administrator")
    users.set_roles(user=newcomer, roles=[role], principal=owner)
    device = fleet(tenant, 1)[0]
    single(device, User.objects.get(pk=newcomer.pk))
    assert holds.waiting_for(device.pk).hold.why == "cool_down"


def test_the_first_owner_has_no_cool_down(tenant):
    from accounts.services import tenants

    boss, _password = tenants.first_owner(tenant=tenant, email="boss@acme.test")
    device = fleet(tenant, 1)[0]
    assert single(device, boss).state == DeviceState.WIPE_PENDING


@pytest.mark.parametrize("change", ["add", "remove", "swap", "form", "reason", "requester"])
def test_an_approval_is_bound_to_what_was_shown(tenant, admin, second, change):
    operation = many(tenant, admin)
    hold, target = operation.hold, operation.targets.first()
    spare = fleet(tenant, 1)[0]
    if change == "add":
        OperationTarget.objects.create(
            operation=operation, device=spare, device_key=spare.pk, label="x"
        )
    elif change == "remove":
        target.delete()
    elif change == "swap":
        OperationTarget.objects.filter(pk=target.pk).update(device=spare, device_key=spare.pk)
    elif change == "form":
        sealed = secrets.seal(b'{"form": {}}', context=f"operation:{operation.pk}")
        Operation.objects.filter(pk=operation.pk).update(sealed_form=sealed)
    elif change == "reason":
        Operation.objects.filter(pk=operation.pk).update(reason="Because")
    else:
        Operation.objects.filter(pk=operation.pk).update(requested_by=second.actor.as_dict())
    with pytest.raises(errors.TargetsChanged):
        holds.approve(hold=hold, approver=second, shown_hash=hold.content_hash)
    hold.refresh_from_db()
    assert hold.state == "waiting"


def test_a_device_swapped_behind_the_frozen_identifier_is_not_wiped(tenant, admin, second):
    operation = many(tenant, admin)
    spare, target = fleet(tenant, 1)[0], operation.targets.first()
    holds.approve(hold=operation.hold, approver=second, shown_hash=operation.hold.content_hash)
    OperationTarget.objects.filter(pk=target.pk).update(device=spare)
    work_off(operation)
    spare.refresh_from_db()
    assert spare.state == DeviceState.ACTIVE


def test_what_changes_after_the_approval_stops_the_order(tenant, admin, second):
    operation = many(tenant, admin)
    holds.approve(hold=operation.hold, approver=second, shown_hash=operation.hold.content_hash)
    spare = fleet(tenant, 1)[0]
    OperationTarget.objects.create(
        operation=operation, device=spare, device_key=spare.pk, label="x"
    )
    operation = work_off(operation)
    assert (operation.state, operation.done_count) == ("cancelled", 0)
    assert "devices.operation.mismatched" in history_of(operation)
    assert not Command.objects.exists()


def test_another_hash_than_the_one_shown_is_refused(tenant, admin, second):
    hold = many(tenant, admin).hold
    for shown in ("", "0" * 64, hold.content_hash.upper() + "x"):
        with pytest.raises(errors.TargetsChanged):
            holds.approve(hold=hold, approver=second, shown_hash=shown)


def test_an_approval_counts_once_and_not_after_a_day(tenant, admin, second, clocked):
    hold = many(tenant, admin).hold
    holds.approve(hold=hold, approver=second, shown_hash=hold.content_hash)
    with pytest.raises(errors.HoldOver):
        holds.approve(hold=hold, approver=second, shown_hash=hold.content_hash)
    late = many(tenant, admin).hold
    clocked(24 * HOUR)
    with pytest.raises(errors.HoldOver):
        holds.approve(hold=late, approver=second, shown_hash=late.content_hash)
    assert holds.settle_due() == 1
    operation = Operation.objects.get(pk=late.operation_id)
    assert (operation.state, operation.cancelled_count) == ("cancelled", 12)
    late.refresh_from_db()
    assert late.state == "expired"


def test_stopping_a_held_order_leaves_nothing_behind(tenant, admin, second, helpdesk):
    operation = many(tenant, admin)
    with pytest.raises(errors.NotYourOperation):
        holds.stop_by(hold=operation.hold, principal=helpdesk, reason="x")
    with pytest.raises(errors.ReasonMissing):
        holds.stop_by(hold=operation.hold, principal=second, reason=" ")
    holds.stop_by(hold=operation.hold, principal=second, reason="Not ours")
    operation = work_off(operation)
    assert (operation.state, operation.cancelled_count) == ("cancelled", 12)
    assert not Command.objects.exists()
    with pytest.raises(errors.HoldOver):
        holds.approve(hold=operation.hold, approver=second, shown_hash=operation.hold.content_hash)


def test_cancelling_a_held_order_stops_its_hold(tenant, admin, second):
    operation = many(tenant, admin)
    cancelled = operations.cancel(operation=operation, principal=admin)
    assert (cancelled.state, Hold.objects.get().state) == ("cancelled", "stopped")


# Without a second administrator


def test_without_a_second_person_a_day_passes(tenant, owner, clocked):
    operation = many(tenant, owner)
    hold = operation.hold
    assert hold.mode == "delay"
    assert mails() == {owner.email}
    clocked(23 * HOUR)
    assert holds.settle_due() == 0
    clocked(2 * HOUR)
    assert holds.settle_due() == 1
    assert work_off(operation).done_count == 12
    hold.refresh_from_db()
    assert hold.state == "released"


def test_the_delay_can_be_stopped_and_is_mailed_to_all_owners(tenant, admin, owner, clocked):
    other = factories.user(tenant, "owner")
    User.objects.filter(pk__in=(owner.pk, other.pk)).update(promoted_at=clock.now())
    operation = many(tenant, admin)
    assert operation.hold.mode == "delay"
    assert mails() == {admin.email, owner.email, other.email}
    holds.stop_by(hold=operation.hold, principal=other, reason="Nobody told me")
    clocked(25 * HOUR)
    assert holds.settle_due() == 0
    assert work_off(operation).done_count == 0


def test_a_frozen_tenant_releases_nothing(tenant, owner, clocked):
    operation = many(tenant, owner)
    safeguards.freeze(tenant=tenant, actor=owner.actor, reason="Break-in")
    clocked(25 * HOUR)
    assert holds.settle_due() == 0
    assert Operation.objects.get(pk=operation.pk).state == "held"
    safeguards.lift(tenant=tenant, actor=owner.actor, reason="Over")
    assert holds.settle_due() == 1


# The freeze


def test_a_freeze_refuses_and_hands_nothing_out(tenant, owner, admin):
    leaving, erased, ended = fleet(tenant, 3)
    lifecycle.request_retire(device=leaving, actor=admin.actor)
    single(erased, admin)
    safeguards.freeze(tenant=tenant, actor=owner.actor, reason="Break-in")
    assert mails() == {owner.email}
    for device in (leaving, erased):
        assert commands.hand_out(channel=device.channels.get(), is_idle=True) is None
    other = fleet(tenant, 1)[0]
    with pytest.raises(errors.Frozen):
        lifecycle.request_retire(device=other, actor=admin.actor)
    with pytest.raises(errors.Frozen):
        single(other, admin)
    Device.objects.filter(pk=ended.pk).update(state="retired")
    with pytest.raises(errors.Frozen):
        lifecycle.delete(device=ended, actor=admin.actor)
    with pytest.raises(errors.Frozen):
        wipe(admin, [other])
    # What harms nothing goes on, and orders can be taken back.
    kept = factories.command(leaving, "DeviceLock")
    assert commands.hand_out(channel=leaving.channels.get(), is_idle=True) == kept
    assert lifecycle.cancel_order(device=erased, actor=admin.actor).state == "active"


def test_lifting_hands_out_what_waited(tenant, owner, admin):
    device = fleet(tenant, 1)[0]
    single(device, admin)
    safeguards.freeze(tenant=tenant, actor=owner.actor, reason="Break-in")
    with pytest.raises(errors.ReasonMissing):
        safeguards.lift(tenant=tenant, actor=owner.actor, reason="")
    safeguards.lift(tenant=tenant, actor=owner.actor, reason="False alarm")
    assert commands.hand_out(channel=device.channels.get(), is_idle=True).kind == "EraseDevice"
    row = Safeguard.objects.get(tenant=tenant)
    assert history_of(row) == ["devices.freeze.began", "devices.freeze.ended"]


def test_another_organisation_is_not_frozen(tenant, other_tenant, owner, stranger):
    device = fleet(other_tenant, 1)[0]
    safeguards.freeze(tenant=tenant, actor=owner.actor, reason="Break-in")
    single(device, stranger)
    assert commands.hand_out(channel=device.channels.get(), is_idle=True) is not None


def test_a_bulk_order_waits_while_frozen(tenant, owner, admin, clocked):
    fleet(tenant, 1000)
    limit(tenant, 50)
    operation = wipe(admin, fleet(tenant, 5))
    safeguards.freeze(tenant=tenant, actor=owner.actor, reason="Break-in")
    operation = work_off(operation)
    assert (operation.state, operation.done_count, operation.failed_count) == ("running", 0, 0)
    safeguards.lift(tenant=tenant, actor=owner.actor, reason="Over")
    clocked(HOUR)
    assert work_off(operation).done_count == 5


def test_a_freeze_needs_a_reason_and_the_first_one_stays(tenant, owner):
    with pytest.raises(errors.ReasonMissing):
        safeguards.freeze(tenant=tenant, actor=owner.actor, reason=" ")
    safeguards.freeze(tenant=tenant, actor=owner.actor, reason="First")
    safeguards.freeze(tenant=tenant, actor=owner.actor, reason="Second")
    assert safeguards.of(tenant.pk).freeze_reason == "First"


# The log


def outcome(device) -> str:
    return WipeOrder.objects.get(label=device.label).outcome


def test_the_log_follows_a_wipe_to_its_end(tenant, admin, person):
    device = factories.device(tenant, person)
    single(device, admin, reason="Left on a train")
    row = WipeOrder.objects.get()
    assert (row.requester_label, row.reason, row.person) == (
        admin.email,
        "Left on a train",
        person.email,
    )
    assert row.outcome == "ordered"
    channel = device.channels.get()
    command = commands.hand_out(channel=channel, is_idle=True)
    assert outcome(device) == "sent"
    result = Result(CommandStatus.ACKNOWLEDGED)
    commands.record_result(channel=channel, command_id=command.pk, result=result)
    assert outcome(device) == "wiped"
    lifecycle.delete(device=device, actor=admin.actor)
    row.refresh_from_db()
    assert (row.device, row.outcome, row.finished_at is not None) == (None, "wiped", True)


@pytest.mark.parametrize(
    ("move", "expected"),
    [("cancel", "cancelled"), ("active", "failed"), ("reset", "dropped"), ("left", "dropped")],
)
def test_other_ends_of_a_wipe(tenant, admin, move, expected):
    device = fleet(tenant, 1)[0]
    single(device, admin)
    system = Actor.system("tests")
    if move == "cancel":
        lifecycle.cancel_order(device=device, actor=admin.actor)
    elif move == "left":
        lifecycle.unenroll(device_id=device.pk, actor=system)
    else:
        lifecycle.transition(device_id=device.pk, to=move, actor=system)
    assert outcome(device) == expected


def test_a_wipe_by_the_person_goes_the_same_way(tenant, person, owner):
    from accounts.models import UserSettings
    from devices.services import self_service

    UserSettings.objects.update(self_service_wipe=True)
    device = factories.device(tenant, person)
    safeguards.freeze(tenant=tenant, actor=owner.actor, reason="Break-in")
    with pytest.raises(errors.Frozen):
        self_service.wipe(device=device, user=person, confirmation=device.label, reason="x")
    safeguards.lift(tenant=tenant, actor=owner.actor, reason="Over")
    self_service.wipe(device=device, user=person, confirmation=device.label, reason="x")
    assert WipeOrder.objects.get().requested_by["kind"] == "person"


def test_everything_is_in_the_history(tenant, admin, second):
    operation = many(tenant, admin)
    holds.approve(hold=operation.hold, approver=second, shown_hash=operation.hold.content_hash)
    entry = HistoryEntry.objects.get(action="devices.wipe.approved")
    assert (entry.actor_label, entry.data["requested_by"]) == (second.email, admin.email)
