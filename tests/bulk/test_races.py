"""Two at the same moment: one effect."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from core import clock
from devices import errors
from devices.models import Command, Device, Hold, Operation, OperationTarget, WipeOrder
from devices.services import commands, holds, operation_work, operations, safeguards, wipes
from tests import factories
from tests.bulk.world import fleet, limit, order, wipe, work_off

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run calls at the same moment; return what they returned or raised."""
    barrier = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)

    def run(index: int, call: Callable[[], Any]) -> None:
        barrier.wait(timeout=30)
        try:
            answers[index] = call()
        except errors.DomainError as error:
            answers[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert all(not thread.is_alive() for thread in threads)
    return answers


def kinds(answers) -> Counter:
    return Counter(type(answer).__name__ for answer in answers)


@pytest.fixture
def second(tenant):
    return factories.user(tenant, "administrator", email="zoe.second@acme.test")


@pytest.fixture
def held(tenant, admin, second):
    limit(tenant, 200)
    return wipe(admin, fleet(tenant, 12))


def approve(hold, user):
    return lambda: holds.approve(hold=hold, approver=user, shown_hash=hold.content_hash)


def test_two_approvals_are_one(held, second, owner):
    answers = at_once(approve(held.hold, second), approve(held.hold, owner))
    assert kinds(answers) == {"Hold": 1, "HoldOver": 1}
    assert work_off(held).done_count == 12
    assert WipeOrder.objects.count() == 12


@pytest.mark.parametrize("round_", range(3))
def test_an_approval_and_a_cancellation_agree_on_one_end(held, second, admin, round_):
    answers = at_once(
        approve(held.hold, second),
        lambda: operations.cancel(operation=held, principal=admin),
    )
    work_off(held)
    operation, hold = Operation.objects.get(pk=held.pk), Hold.objects.get()
    if hold.state == "stopped":
        assert kinds(answers)["HoldOver"] == 1
        assert (operation.state, operation.done_count) == ("cancelled", 0)
        assert not Command.objects.exists()
    else:
        # Approved first: the cancellation stops what has not left, or came too early and says so.
        assert hold.state == "approved"
        assert operation.done_count + operation.cancelled_count == 12


def test_an_approval_and_the_end_of_the_delay_let_it_go_once(tenant, owner, monkeypatch):
    limit(tenant, 200)
    operation = wipe(owner, fleet(tenant, 12))
    Hold.objects.update(due_at=clock.now())
    at_once(holds.settle_due, holds.settle_due, holds.settle_due)
    assert Hold.objects.get().state == "released"
    assert work_off(operation).done_count == 12
    assert WipeOrder.objects.count() == 12


@pytest.mark.parametrize("round_", range(3))
def test_nothing_leaves_after_a_freeze_has_begun(tenant, admin, owner, round_):
    limit(tenant, 50)
    devices = fleet(tenant, 8)
    fleet(tenant, 400)
    for device in devices:
        wipes.order(device=device, actor=admin.actor, confirmation=device.label, reason="Stolen")
    sent_when_frozen: list[int] = []

    def freeze():
        safeguards.freeze(tenant=tenant, actor=owner.actor, reason="Break-in")
        sent_when_frozen.append(Command.objects.filter(status="sent").count())

    def hand_out(device):
        return lambda: commands.hand_out(channel=device.channels.get(), is_idle=True)

    at_once(freeze, *(hand_out(device) for device in devices))
    assert Command.objects.filter(status="sent").count() == sent_when_frozen[0]
    for device in devices:
        before = Command.objects.filter(device=device, status="sent").count()
        handed = commands.hand_out(channel=device.channels.get(), is_idle=True)
        assert handed is None or before == 1, "a queued wipe left after the freeze"
        assert handed is None


@pytest.mark.parametrize("round_", range(2))
def test_the_limit_holds_for_wipes_at_the_same_moment(tenant, admin, round_):
    limit(tenant, 3)
    fleet(tenant, 400)
    devices = fleet(tenant, 6)

    def wipe_one(device):
        return lambda: wipes.order(
            device=device, actor=admin.actor, confirmation=device.label, reason="Stolen"
        )

    answers = kinds(at_once(*(wipe_one(device) for device in devices)))
    assert answers == {"Device": 3, "WipeLimitReached": 3}
    assert Device.objects.filter(state="wipe_pending").count() == 3


def test_the_hold_is_not_slipped_past_by_haste(tenant, admin, second):
    limit(tenant, 200)
    fleet(tenant, 1000)
    devices = fleet(tenant, 14)

    def wipe_one(device):
        return lambda: wipes.order(
            device=device, actor=admin.actor, confirmation=device.label, reason="Stolen"
        )

    at_once(*(wipe_one(device) for device in devices))
    assert Device.objects.filter(state="wipe_pending").count() == 10
    assert Operation.objects.filter(state="held").count() == 4


def test_many_workers_do_an_order_once(tenant, admin):
    operation = order(admin, "lock", fleet(tenant, 120))

    def work():
        while operation_work.work(operation.pk):
            pass

    at_once(*[work] * 4)
    operation = work_off(operation)
    # What another worker still held is taken up when its lease is over.
    OperationTarget.objects.filter(state="pending").update(leased_until=clock.now())
    operation = work_off(operation)
    assert (operation.state, operation.done_count, operation.pending_count) == ("done", 120, 0)
    assert Command.objects.count() == 120
    assert Counter(Command.objects.values_list("device_id", flat=True)).most_common(1)[0][1] == 1


def test_cancelling_while_it_is_carried_out_counts_every_device_once(tenant, admin):
    operation = order(admin, "lock", fleet(tenant, 80))

    def work():
        while operation_work.work(operation.pk):
            pass

    at_once(work, work, lambda: operations.cancel(operation=operation, principal=admin))
    operation = work_off(operation)
    states = Counter(operation.targets.values_list("state", flat=True))
    assert operation.state == "cancelled"
    assert (states["done"], states["cancelled"]) == (
        operation.done_count,
        operation.cancelled_count,
    )
    assert sum(states.values()) == operation.total == 80
    assert states["pending"] == 0
    open_commands = Command.objects.exclude(status="cancelled").count()
    assert open_commands == states["done"]


def test_a_deletion_of_a_device_at_the_same_moment_is_survived(tenant, admin):
    from devices.services import lifecycle

    ended = [factories.device(tenant, state="retired") for _ in range(10)]
    operation = order(admin, "delete", ended, confirmation="delete 10")

    def delete_all():
        for device in reversed(ended):
            row = Device.objects.filter(pk=device.pk).first()
            if row is not None:
                with contextlib.suppress(Device.DoesNotExist):
                    lifecycle.delete(device=row, actor=admin.actor)

    at_once(delete_all, lambda: work_off(operation))
    OperationTarget.objects.filter(state="pending").update(leased_until=clock.now())
    operation = work_off(operation)
    assert operation.state == "done"
    assert operation.done_count + operation.failed_count == 10
    assert not Device.objects.filter(pk__in=[device.pk for device in ended]).exists()
