"""Portal: from the selection in the list to the end of an order, approvals, freeze and log."""

from __future__ import annotations

import csv
import io
import re
import uuid

import pytest

from core import clock
from devices.models import Command, Hold, Operation, Safeguard
from devices.services import holds, operations, safeguards
from devices.states import CommandStatus
from tests import factories
from tests.bulk.world import fleet, limit, order, wipe, work_off
from tests.portal import confirm, path, text

pytestmark = pytest.mark.django_db
NEW = "/operations/new/"


@pytest.fixture
def second(tenant):
    return factories.user(tenant, "administrator", email="zoe.second@acme.test")


@pytest.fixture
def fresh(signed_in):
    """Sign somebody in who has just confirmed it is them."""

    def sign_in(user):
        client = signed_in(user)
        confirm(client)
        return client

    return sign_in


def ask(action, devices=(), **query):
    return {"action": action, "device": [str(device.pk) for device in devices], **query}


def address(action, devices=(), **query) -> str:
    from urllib.parse import urlencode

    return f"{NEW}?{urlencode(ask(action, devices, **query), doseq=True)}"


def answer(count, **fields):
    return {"bulk-expected": count, **fields}


# The selection


def test_the_list_offers_what_the_reader_may_do(signed_in, helpdesk, auditor, admin, tenant):
    fleet(tenant, 30)
    page = text(signed_in(admin).get("/devices/?platform=iphone"))
    assert "Select all 30 that match" in page
    assert page.count('name="device"') == 25
    assert '<option value="wipe">' in page
    page = text(signed_in(helpdesk).get("/devices/"))
    assert '<option value="lock">' in page
    assert '<option value="wipe">' not in page
    page = text(signed_in(auditor).get("/devices/"))
    assert 'name="device"' not in page
    assert "data-bulk-bar" not in page


def test_without_a_selection_it_leads_back(signed_in, admin):
    for query in ("", "?action=lock", f"?device={uuid.uuid4()}"):
        assert signed_in(admin).get(NEW + query).url == "/devices/"


def test_the_question_says_who_and_who_not(signed_in, admin, tenant):
    devices = [*fleet(tenant, 12), factories.device(tenant, state="retired")]
    page = text(signed_in(admin).get(NEW, ask("lock", devices)))
    assert '<b class="m-num">12</b>' in page
    assert "Phone 00000, Phone 00001" in page
    assert "and 4 more" in page
    assert "state does not allow this" in page
    assert "Message on the lock screen" in page


def test_all_that_match_is_the_filter_and_not_the_page(signed_in, admin, tenant):
    fleet(tenant, 40)
    factories.device(tenant, platform="mac")
    query = {"action": "lock", "all": "1", "query": "platform=iphone&page=2&sort=name"}
    client = signed_in(admin)
    assert '<b class="m-num">40</b>' in text(client.get(NEW, query))
    url = f"{NEW}?action=lock&all=1&query=platform%3Diphone"
    assert client.post(url, answer(40, message="Hello")).status_code == 302
    operation = Operation.objects.get()
    assert (operation.total, operation.query, operation.shown) == (
        40,
        "platform=iphone",
        [["message", "Hello"]],
    )


@pytest.mark.parametrize("query", ["state=nonsense", "silent=%27", "user=1", "platform=\x00"])
def test_a_filter_that_makes_no_sense_finds_nobody(signed_in, admin, tenant, query):
    fleet(tenant, 2)
    answered = signed_in(admin).get(NEW, {"action": "lock", "all": "1", "query": query})
    assert answered.status_code == 404


def test_one_foreign_device_refuses_everything(signed_in, admin, tenant, foreign_device):
    devices = fleet(tenant, 2)
    client = signed_in(admin)
    for other in (foreign_device.pk, uuid.uuid4(), "x", ""):
        query = address("lock", devices) + f"&device={other}"
        assert client.get(query).status_code == 404
        assert client.post(query, answer(2)).status_code == 404
    assert not Operation.objects.exists()


def test_actions_that_are_none_or_not_theirs(signed_in, helpdesk, tenant):
    devices = fleet(tenant, 1)
    client = signed_in(helpdesk)
    assert client.get(address("explode", devices)).status_code == 404
    assert client.get(address("retire", devices)).status_code == 403
    assert client.post(address("retire", devices), answer(1)).status_code == 403


def test_the_number_is_confirmed(signed_in, admin, tenant):
    devices = fleet(tenant, 3)
    page = signed_in(admin).post(address("lock", devices), answer(2))
    assert page.status_code == 422
    assert "there are now 3" in text(page)
    assert not Operation.objects.exists()
    # What comes back confirms what is shown now.
    assert 'name="bulk-expected" value="3"' in text(page)


def test_an_order_has_a_page_of_its_own(
    signed_in, admin, tenant, django_capture_on_commit_callbacks
):
    client = signed_in(admin)
    devices = fleet(tenant, 3)
    done = client.post(address("lock", devices), answer(3, message="=1+1", reason="Lost"))
    operation = Operation.objects.get()
    assert done.url == path("devices:operation-detail", operation.pk)
    page = text(client.get(done.url))
    assert "Lock, 3 devices" in page
    assert "Of 3 devices: 0 ordered, 0 failed, 0 left out, 0 cancelled, 3 not started." in page
    assert 'hx-trigger="every 3s"' in page
    assert 'aria-live="polite"' in page
    work_off(operation)
    assert "Of 3 devices: 3 ordered" in text(client.get(done.url))
    assert "Lock" in text(client.get("/operations/"))


def test_a_poll_of_what_did_not_change_is_empty(signed_in, admin, tenant):
    operation = order(admin, "lock", fleet(tenant, 2))
    client = signed_in(admin)
    url = path("devices:operation-detail", operation.pk)
    seen = re.search(r"seen=(\w+)", client.get(url).content.decode()).group(1)
    assert client.get(url, {"seen": seen}).status_code == 204
    work_off(operation)
    changed = client.get(url, {"seen": seen})
    assert changed.status_code == 200
    live = re.search(r'id="live-operation"[^>]*', changed.content.decode()).group()
    assert seen not in live


def test_the_page_costs_a_fixed_number_of_queries(
    signed_in, admin, tenant, django_assert_max_num_queries
):
    operation = work_off(order(admin, "lock", fleet(tenant, 60)))
    client = signed_in(admin)
    url = path("devices:operation-detail", operation.pk)
    client.get(url)
    with django_assert_max_num_queries(14):
        client.get(url)


# Cancelling, failures, trying again


def test_cancel_from_the_page(signed_in, admin, auditor, tenant):
    operation = order(admin, "lock", fleet(tenant, 4))
    url = path("devices:operation-cancel", operation.pk)
    signed_in(auditor).post(url)
    assert Operation.objects.get().state == "running"
    page = signed_in(admin).post(url, follow=True)
    assert "4 devices were not reached" in text(page)
    assert Operation.objects.get().state == "cancelled"


def failed_order(admin, tenant):
    devices = fleet(tenant, 3)
    type(devices[0]).objects.filter(pk=devices[0].pk).update(name='=HYPERLINK("http://x")')
    operation = work_off(order(admin, "lock", devices))
    error = [{"description": "+cmd|' /C calc'!A0", "code": 1}]
    Command.objects.filter(device=devices[0]).update(status=CommandStatus.ERROR, error=error)
    Command.objects.filter(device=devices[1]).update(status=CommandStatus.EXPIRED)
    return operation


def test_failures_as_csv_are_no_formulas(signed_in, admin, tenant):
    operation = failed_order(admin, tenant)
    client, url = signed_in(admin), path("devices:operation-detail", operation.pk)
    assert f"{url}?failed=yes&amp;export=csv" in client.get(url).content.decode()
    answered = client.get(f"{url}?failed=yes&export=csv")
    content = b"".join(answered.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content)))
    assert len(rows) == 3
    assert rows[1][0] == '\'=HYPERLINK("http://x")' or rows[1][0].startswith("'=")
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert answered["Content-Type"].startswith("text/csv")


def test_only_the_failed_ones_again(signed_in, admin, tenant):
    operation = failed_order(admin, tenant)
    client = signed_in(admin)
    url = path("devices:operation-detail", operation.pk)
    assert "Try the 2 failed ones again" in text(client.get(url))
    again = client.post(path("devices:operation-retry", operation.pk))
    made = Operation.objects.exclude(pk=operation.pk).get()
    assert again.url == path("devices:operation-detail", made.pk)
    assert (made.total, made.retry_of) == (2, operation)


def test_a_failed_deletion_is_confirmed_anew(signed_in, admin, tenant):
    devices = [factories.device(tenant, state="retired") for _ in range(2)]
    operation = order(admin, "delete", devices, confirmation="delete 2")
    operation.targets.update(state="failed", reason_code="internal")
    Operation.objects.update(state="done", failed_count=2, due_at=None)
    client = signed_in(admin)
    asked = client.post(path("devices:operation-retry", operation.pk))
    assert asked.url == f"{NEW}?action=delete&retry={operation.pk}"
    assert "Delete this entry 2" in text(client.get(asked.url))


# Wipes


def test_a_bulk_wipe_takes_a_fresh_sign_in_the_phrase_and_a_reason(
    signed_in, fresh, admin, tenant, second
):
    fleet(tenant, 200)
    devices = fleet(tenant, 3)
    limit(tenant, 10)
    url = address("wipe", devices)
    assert "/account/confirm/" in signed_in(admin).get(url).url
    client = fresh(admin)
    page = text(client.get(url))
    assert "Everything on these devices is erased" in page
    assert "Exactly as here: Wipe 3" in page
    typed = {"bulk-confirmation": "Wipe 3", "reason": "Stolen"}
    for wrong in ({"bulk-confirmation": "OK"}, {"reason": ""}, {"reason": "  "}):
        assert client.post(url, answer(3, **typed | wrong)).status_code == 422
    assert client.post(url, answer(3, **typed)).status_code == 302
    assert Operation.objects.get().state == "running"


def test_a_bulk_wipe_above_the_limit_is_refused(fresh, admin, tenant):
    devices = fleet(tenant, 2)
    page = fresh(admin).post(
        address("wipe", devices), answer(2, **{"bulk-confirmation": "Wipe 2", "reason": "x"})
    )
    assert page.status_code == 422
    assert "At most 1 wipe may be under way at a time" in text(page)


def held(tenant, user, number=12):
    limit(tenant, 200)
    return wipe(user, fleet(tenant, number))


def test_two_administrators_and_a_held_wipe(fresh, admin, second, tenant):
    operation = held(tenant, admin)
    client = fresh(admin)
    page = text(client.get(path("devices:operation-detail", operation.pk)))
    assert "Waits for a second administrator" in page
    assert "Can approve it: Ada" in page
    detail = path("devices:hold-detail", operation.hold.pk)
    approve = path("devices:hold-approve", operation.hold.pk)
    page = text(client.get(detail))
    assert "You ordered this yourself" in page
    assert approve not in page
    assert client.post(approve, {"hash": operation.hold.content_hash}, follow=True)
    assert Hold.objects.get().state == "waiting"
    client = fresh(second)
    page = text(client.get(approve))
    assert page.count('<th scope="row">Phone') == 12
    assert "Stolen" in page
    shown = re.search(r'name="hash" value="(\w+)"', page).group(1)
    done = client.post(approve, {"hash": shown})
    assert done.url == path("devices:operation-detail", operation.pk)
    assert work_off(operation).done_count == 12
    assert "Approved" in text(client.get(done.url))


def test_approving_takes_a_fresh_sign_in(signed_in, admin, second, tenant):
    hold = held(tenant, admin).hold
    url = path("devices:hold-approve", hold.pk)
    answered = signed_in(second).post(url, {"hash": hold.content_hash})
    assert "/account/confirm/" in answered.url
    assert Hold.objects.get().state == "waiting"


def test_stopping_from_the_page(signed_in, admin, second, tenant):
    operation = held(tenant, admin)
    url = path("devices:hold-stop", operation.hold.pk)
    client = signed_in(second)
    assert client.post(url, {"reason": ""}).status_code == 422
    page = text(client.post(url, {"reason": "Not ours"}, follow=True))
    assert "Not ours" in page
    assert Operation.objects.get(pk=operation.pk).state == "cancelled"


def test_the_delay_shows_a_countdown(signed_in, owner, tenant):
    operation = held(tenant, owner)
    page = text(signed_in(owner).get(path("devices:operation-detail", operation.pk)))
    assert "there is no second administrator" in page
    assert "in 23 h" in page or "in 24 h" in page or "in 1 day" in page


def test_a_single_wipe_that_is_held_leads_to_its_order(fresh, admin, second, tenant):
    limit(tenant, 200)
    devices = fleet(tenant, 3)
    client = fresh(admin)
    for device in devices:
        fields = {"confirmation": device.label, "reason": "Stolen"}
        answered = client.post(path("devices:device-wipe", device.pk), fields)
    operation = Operation.objects.get()
    assert answered.url == path("devices:operation-detail", operation.pk)
    assert operation.state == "held"
    page = text(client.get(path("device-detail", devices[-1].pk)))
    assert "A wipe of this device waits for a second administrator." in page
    assert "1 order waits for a second administrator." in text(client.get("/"))
    page = client.post(path("devices:device-wipe", devices[-1].pk), fields)
    assert "already waits for approval" in text(page)


def test_the_question_warns_before_everything_is_filled_in(fresh, admin, tenant, second):
    devices = fleet(tenant, 12)
    client = fresh(admin)
    assert "At most 1 wipe may be under way" in text(client.get(address("wipe", devices)))
    limit(tenant, 50)
    assert "A second administrator has to approve this" in text(
        client.get(address("wipe", devices))
    )
    assert "A second administrator" not in text(client.get(address("lock", devices)))


@pytest.mark.parametrize("key", ["x", "7", "'", "00000000-0000-0000-0000-000000000000"])
def test_a_retry_of_nothing_is_not_found(signed_in, admin, key):
    assert signed_in(admin).get(NEW, {"action": "lock", "retry": key}).status_code == 404


# Freeze, limit, log


def test_the_freeze_is_on_every_page_of_those_concerned(
    fresh, signed_in, owner, admin, auditor, tenant
):
    client = fresh(owner)
    assert signed_in(admin).get("/settings/protection/freeze/").status_code == 403
    client = fresh(owner)
    assert client.post("/settings/protection/freeze/", {"reason": ""}).status_code == 422
    client.post("/settings/protection/freeze/", {"reason": "Break-in"})
    for user in (owner, admin, auditor):
        page = text(signed_in(user).get("/history/"))
        assert "Wipe, retire and delete are frozen." in page
        assert "Break-in" in page
    assert "/account/confirm/" in signed_in(owner).get("/settings/protection/lift/").url
    client = fresh(owner)
    assert client.post("/settings/protection/lift/", {"reason": " "}).status_code == 422
    client.post("/settings/protection/lift/", {"reason": "Over"})
    assert "are frozen" not in text(client.get("/history/"))


def test_nobody_of_another_organisation_sees_it(signed_in, owner, stranger, tenant):
    safeguards.freeze(tenant=tenant, actor=owner.actor, reason="Break-in")
    assert "Break-in" not in text(signed_in(stranger).get("/"))


def test_the_limit_is_changed_in_the_settings(signed_in, fresh, admin, auditor, tenant, second):
    url = "/settings/protection/limit/"
    assert signed_in(auditor).get(url).status_code == 403
    assert "/account/confirm/" in signed_in(admin).get(url).url
    client = fresh(admin)
    assert client.post(url, {"wipe_limit": 201, "reason": "x"}).status_code == 422
    assert client.post(url, {"wipe_limit": 20, "reason": ""}).status_code == 422
    page = text(client.post(url, {"wipe_limit": 20, "reason": "Roll-out"}, follow=True))
    assert "A limit of 20 was asked for" in page
    assert safeguards.of(tenant.pk).wipe_limit == 1
    hold = holds.coming_limit(tenant.pk)
    assert "Higher wipe limit" in text(client.get(path("devices:hold-detail", hold.pk)))
    client = fresh(second)
    approve = path("devices:hold-approve", hold.pk)
    client.post(approve, {"hash": hold.content_hash})
    assert "Takes effect" in text(client.get(path("devices:hold-detail", hold.pk)))
    Safeguard.objects.update(wipe_limit=30)
    client = fresh(admin)
    client.post(url, {"wipe_limit": 5, "reason": ""})
    assert safeguards.of(tenant.pk).wipe_limit == 5


def test_the_wipe_log_is_filtered_and_exported(signed_in, admin, auditor, tenant, person):
    limit(tenant, 10)
    fleet(tenant, 300)
    mine = factories.device(tenant, person, name="=Pia's iPhone")
    work_off(wipe(admin, [mine, *fleet(tenant, 2)], reason="Left on a train"))
    client = signed_in(auditor)
    page = text(client.get("/operations/wipes/"))
    assert page.count("Left on a train") == 3
    assert admin.email in page
    found = client.get("/operations/wipes/", {"q": person.email, "outcome": "ordered"})
    assert [row.record.label for row in found.context["table"].page.object_list] == [mine.name]
    assert "Nothing matches" in text(client.get("/operations/wipes/?outcome=wiped"))
    export = client.get("/operations/wipes/?export=csv&q=pia")
    content = b"".join(export.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content)))
    assert rows[1][0] == "'=Pia's iPhone"
    assert "Left on a train" in rows[1]


def test_lists_begin_empty_with_words(signed_in, admin):
    client = signed_in(admin)
    assert "No order to several devices yet" in text(client.get("/operations/"))
    assert "No device was wiped yet" in text(client.get("/operations/wipes/"))


def test_a_running_order_stops_while_frozen_and_says_so(signed_in, admin, owner, tenant):
    fleet(tenant, 300)
    limit(tenant, 10)
    operation = wipe(admin, fleet(tenant, 3))
    safeguards.freeze(tenant=tenant, actor=owner.actor, reason="Break-in")
    page = text(signed_in(admin).get(path("devices:operation-detail", operation.pk)))
    assert "goes on when the freeze is lifted" in page


def test_a_hundred_thousand_are_the_most(signed_in, admin, tenant, monkeypatch):
    from devices.services import operation_rows

    monkeypatch.setattr(operations, "MAX_TARGETS", 3)
    monkeypatch.setattr(operation_rows, "MAX_TARGETS", 3)
    devices = fleet(tenant, 4)
    page = signed_in(admin).get(address("lock", devices))
    assert "Narrow the filter" in text(page)
    assert signed_in(admin).post(address("lock", devices), answer(4)).status_code == 422
    assert not Operation.objects.exists()
    assert clock.now()
