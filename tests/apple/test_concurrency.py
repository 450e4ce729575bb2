"""Many messages at once: one effect."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from apple.protocol import plist
from core.actors import Actor
from core.models import HistoryEntry
from core.pki import cms
from devices.models import Channel, Command, Device
from devices.services import commands, lifecycle
from devices.states import CommandStatus, DeviceState
from tests import factories
from tests.apple import messages, wire
from tests.apple.wire import CHECKIN, CONNECT, Phone

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


@pytest.fixture
def phone(client):
    tenant = factories.tenant("acme")
    return Phone(client, tenant, factories.user(tenant))


def at_once(phone: Phone, path: str, message: dict[str, Any]) -> list[Any]:
    """Send one message many times at the same moment; return the answers."""
    body = plist.write({"UDID": phone.udid} | message)
    signature = cms.sign_detached(body, certificate=phone.certificate, key=wire._key())
    headers = {"Mdm-Signature": base64.b64encode(signature).decode()}

    def send() -> Any:
        kind = "application/x-apple-aspen-mdm"
        return Client().generic("PUT", path, body, content_type=kind, headers=headers)

    return run_at_once([send] * AT_ONCE)


def run_at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    barrier = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)

    def run(index: int, call: Callable[[], Any]) -> None:
        barrier.wait(timeout=30)
        try:
            answers[index] = call()
        except Exception as error:
            answers[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


def statuses(answers: list[Any]) -> list[int]:
    return [answer.status_code for answer in answers]


def test_a_device_that_authenticates_many_times_at_once_has_one_entry(phone):
    answers = statuses(at_once(phone, CHECKIN, messages.authenticate()))
    assert 401 not in answers
    assert Device.objects.count() == 1
    assert phone.authenticate().status_code == 200
    assert phone.update_token().status_code == 200
    assert phone.device.state == DeviceState.ACTIVE


def test_a_first_token_that_comes_many_times_at_once_activates_once(phone):
    phone.authenticate()
    message = messages.token_update(UDID=phone.udid)
    assert set(statuses(at_once(phone, CHECKIN, message))) == {200}
    entries = HistoryEntry.objects.filter(action="devices.device.active")
    assert entries.count() == 1
    assert phone.device.commands.count() == 5
    assert Channel.objects.count() == 1


def test_many_polls_at_once_get_one_and_the_same_command(phone):
    phone.enroll()
    answers = at_once(phone, CONNECT, messages.idle())
    assert set(statuses(answers)) == {200}
    handed_out = {plist.read(answer.content, limit=100_000)["CommandUUID"] for answer in answers}
    assert len(handed_out) == 1
    assert Command.objects.filter(status=CommandStatus.SENT).count() == 1


def test_one_result_many_times_at_once_has_one_effect(phone):
    phone.enroll()
    phone.drain()
    lifecycle.request_retire(device=phone.device, actor=phone.user.actor)
    sent = phone.say("Idle")["CommandUUID"]
    answers = statuses(at_once(phone, CONNECT, messages.acknowledged(sent, UDID=phone.udid)))
    assert set(answers) <= {200, 401}
    assert phone.device.state == DeviceState.RETIRED
    assert HistoryEntry.objects.filter(action="devices.device.retired").count() == 1


def test_a_new_connection_to_the_database_is_no_news_to_a_device(phone):
    phone.enroll()
    phone.drain()
    for _ in range(3):
        connections.close_all()
        assert phone.say("Idle") is None


def test_check_out_many_times_at_once_ends_management_once(phone):
    phone.enroll()
    message = {"MessageType": "CheckOut", "Topic": messages.TOPIC}
    assert set(statuses(at_once(phone, CHECKIN, message))) == {200}
    assert HistoryEntry.objects.filter(action="devices.device.unenrolled").count() == 1


def test_orders_polls_and_results_at_once_do_not_block_each_other(phone):
    phone.enroll()
    phone.drain()
    device, actor = phone.device, Actor.system("tests")
    channel = lifecycle.device_channel(device)
    for _ in range(4):
        commands.enqueue(channel=channel, kind="SecurityInfo", actor=actor)
    first = phone.say("Idle")["CommandUUID"]

    def poll(message: dict[str, Any]) -> Callable[[], Any]:
        body = plist.write(message)
        signature = cms.sign_detached(body, certificate=phone.certificate, key=wire._key())
        headers = {"Mdm-Signature": base64.b64encode(signature).decode()}
        return lambda: Client().generic("PUT", CONNECT, body, headers=headers).status_code

    def retire() -> int:
        lifecycle.request_retire(device=Device.objects.get(pk=device.pk), actor=actor)
        return 200

    idle = messages.idle(UDID=phone.udid)
    result = messages.acknowledged(first, UDID=phone.udid, SecurityInfo={})
    calls = [poll(idle), poll(idle), poll(result), poll(result), retire, poll(idle)]
    assert run_at_once(calls) == [200] * len(calls)
    done = Command.objects.get(pk=first)
    assert done.status == CommandStatus.ACKNOWLEDGED
    assert phone.device.state in (DeviceState.RETIRE_PENDING, DeviceState.RETIRE_SENT)
