from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection

from core import clock
from core.actors import Actor
from devices import handlers
from devices.models import Command, CommandRank, Device
from devices.services import commands
from devices.services.commands import Result
from devices.states import CommandStatus
from tests import factories

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("tests")
DONE = Result(CommandStatus.ACKNOWLEDGED)
NOT_NOW = Result(CommandStatus.NOT_NOW)


@pytest.fixture
def channel(device):
    return device.channels.get()


def queue(channel, kind="Inventory", **fields) -> Command:
    return commands.enqueue(channel=channel, kind=kind, actor=ACTOR, **fields)


def hand_out(channel, *, is_idle=True):
    return commands.hand_out(channel=channel, is_idle=is_idle)


def answer(channel, command, result=DONE):
    return commands.record_result(channel=channel, command_id=command.pk, result=result)


def test_hands_out_in_order_and_wakes_the_device(channel, backend):
    first, second = queue(channel, "A"), queue(channel, "B")
    assert hand_out(channel) == first
    answer(channel, first)
    assert hand_out(channel, is_idle=False) == second
    answer(channel, second)
    assert hand_out(channel, is_idle=False) is None
    assert backend.woken == [channel.pk, channel.pk]


def test_an_order_goes_first_and_background_work_last(channel):
    late = queue(channel, "Background", rank=CommandRank.BACKGROUND)
    normal = queue(channel, "Normal")
    order = queue(channel, "Wipe", rank=CommandRank.ORDER)
    given = []
    for _turn in range(3):
        given.append(hand_out(channel))
        answer(channel, given[-1])
    assert given == [order, normal, late]


def test_a_command_without_an_answer_is_offered_again_with_the_same_uuid(channel):
    command = queue(channel)
    assert hand_out(channel).wire_uuid == hand_out(channel).wire_uuid == command.wire_uuid


def test_two_connections_do_not_get_the_same_fresh_command(channel):
    first, second = queue(channel, "A"), queue(channel, "B")
    assert hand_out(channel) == first
    assert hand_out(channel, is_idle=False) == second


def test_not_now_lets_the_next_one_through_and_is_tried_again(channel):
    busy, other = queue(channel, "A"), queue(channel, "B")
    assert hand_out(channel) == busy
    answer(channel, busy, NOT_NOW)
    assert hand_out(channel, is_idle=False) == other
    answer(channel, other)
    assert hand_out(channel, is_idle=False) is None
    assert hand_out(channel, is_idle=True) == busy


def test_not_now_a_hundred_times_is_no_failure(channel):
    command = queue(channel)
    for _time in range(100):
        assert hand_out(channel) == command
        answer(channel, command, NOT_NOW)
    assert hand_out(channel) == command
    answer(channel, command)
    command.refresh_from_db()
    assert (command.status, command.not_now_count) == (CommandStatus.ACKNOWLEDGED, 100)


def test_a_command_that_is_never_answered_does_not_block_the_rest(channel):
    stuck, other = queue(channel, "A"), queue(channel, "B")
    for _time in range(commands.MAX_RESENDS + 1):
        assert hand_out(channel) == stuck
    assert hand_out(channel) == other
    stuck.refresh_from_db()
    assert stuck.status == CommandStatus.EXPIRED


@pytest.mark.parametrize("late", [DONE, NOT_NOW, Result(CommandStatus.ERROR)])
def test_a_late_or_repeated_answer_changes_nothing(channel, late):
    command = queue(channel)
    hand_out(channel)
    assert answer(channel, command) is not None
    assert answer(channel, command, late) is None
    command.refresh_from_db()
    assert command.status == CommandStatus.ACKNOWLEDGED


def test_the_handler_runs_once_however_often_the_answer_comes(channel, monkeypatch):
    calls = []

    class Counting(handlers.SilentHandler):
        def on_acknowledged(self, command, result):
            calls.append(result)

    monkeypatch.setitem(handlers._handlers, "Inventory", Counting())
    command = queue(channel)
    hand_out(channel)
    for _time in range(3):
        answer(channel, command, Result(CommandStatus.ACKNOWLEDGED, raw={"a": 1}))
    assert calls == [{"a": 1}]


def test_another_channels_answer_is_not_taken(channel, tenant, person):
    command = queue(channel)
    elsewhere = factories.device(tenant, person).channels.get()
    assert answer(elsewhere, command) is None
    command.refresh_from_db()
    assert command.status == CommandStatus.QUEUED


def test_a_command_of_an_older_epoch_is_never_handed_out(channel, device):
    queue(channel, "Wipe")
    Device.objects.filter(pk=device.pk).update(epoch=2)
    assert hand_out(channel) is None
    assert Command.objects.get().status == CommandStatus.CANCELLED


def test_an_overdue_command_ends_by_the_sweep_and_is_not_handed_out(channel):
    command = queue(channel, deadline=dt.timedelta(seconds=-1))
    assert commands.expire_due() == 1
    assert commands.expire_due() == 0
    command.refresh_from_db()
    assert command.status == CommandStatus.EXPIRED
    assert hand_out(channel) is None


def test_a_desired_key_exists_once_while_open(channel):
    first = queue(channel, desired_key="inventory")
    assert queue(channel, desired_key="inventory") == first
    hand_out(channel)
    answer(channel, first)
    assert queue(channel, desired_key="inventory") != first


def test_secret_parameters_are_sealed_and_gone_when_done(channel):
    command = queue(channel, secret_params={"pin": "123456"})
    assert b"123456" not in bytes(command.sealed_params)
    assert commands.secret_params(command) == {"pin": "123456"}
    hand_out(channel)
    answer(channel, command)
    command.refresh_from_db()
    assert not command.sealed_params


@pytest.mark.django_db(transaction=True)
def test_ten_answers_at_once_have_one_effect(channel):
    command = queue(channel)
    hand_out(channel)
    effects, barrier = [], threading.Barrier(10)

    def send() -> None:
        barrier.wait()
        try:
            effects.append(answer(channel, command))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([effect for effect in effects if effect is not None]) == 1
    assert command.finished_at is None
    assert Command.objects.get(pk=command.pk).finished_at <= clock.now()
