from __future__ import annotations

import pytest

from core import history
from core.actors import Actor
from core.models import HistoryEntry
from tests.portal import path, text

pytestmark = pytest.mark.django_db
LIST = "/history/"


@pytest.fixture
def entries(device, admin, stranger, foreign_device):
    history.record(device, "devices.lock.requested", actor=admin.actor, data={"reason": "Lost"})
    history.record(
        device,
        "devices.device.retired",
        actor=Actor.system("deadlines"),
        data={"state": ["retire_sent", "retired"]},
    )
    history.record(foreign_device, "devices.device.wiped", actor=stranger.actor)


def shown(response) -> list[str]:
    return [row.record.action for row in response.context["table"].page.object_list]


def test_it_shows_the_own_organisations_changes_newest_first(signed_in, auditor, entries):
    response = signed_in(auditor).get(LIST)
    assert shown(response) == ["devices.device.retired", "devices.lock.requested"]
    assert "Lock ordered" in text(response)


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"about": "devices"}, 2),
        ({"about": "accounts"}, 0),
        ({"by": "system"}, 1),
        ({"by": "user"}, 1),
        ({"q": "adam"}, 1),
        ({"q": "iphone"}, 2),
        ({"action": "devices.lock.requested"}, 1),
        ({"since": "2000-01-01"}, 2),
        ({"until": "2000-01-01"}, 0),
        ({"since": "yesterday"}, 2),
        ({"object": "nothing"}, 0),
    ],
)
def test_filters(signed_in, auditor, entries, query, number):
    response = signed_in(auditor).get(LIST, query)
    assert len(shown(response)) == number


def test_one_object_can_be_followed(signed_in, auditor, entries, device):
    assert len(shown(signed_in(auditor).get(LIST, {"object": device.pk}))) == 2


def test_an_entry_has_a_page_with_before_and_after(signed_in, auditor, entries):
    entry = HistoryEntry.objects.get(action="devices.device.retired")
    page = text(signed_in(auditor).get(path("history-detail", entry.pk)))
    assert "Retire sent" in page
    assert "devices.device.retired" in page


def test_entries_of_others_do_not_exist(signed_in, owner, entries):
    entry = HistoryEntry.objects.get(action="devices.device.wiped")
    assert signed_in(owner).get(path("history-detail", entry.pk)).status_code == 404


def test_the_help_desk_has_no_history(signed_in, helpdesk, entries):
    client = signed_in(helpdesk)
    assert client.get(LIST).status_code == 403
    assert 'href="/history/"' not in text(client.get("/devices/"))


def test_nothing_can_be_sent_to_the_history(signed_in, owner, entries):
    client = signed_in(owner)
    assert client.post(LIST).status_code == 405
    assert client.delete(path("history-detail", HistoryEntry.objects.first().pk)).status_code == 405


def test_the_number_of_queries_does_not_grow(
    signed_in, auditor, entries, device, admin, django_assert_max_num_queries
):
    for _ in range(30):
        history.record(device, "devices.check_in.requested", actor=admin.actor)
    client = signed_in(auditor)
    with django_assert_max_num_queries(11):
        client.get(LIST)
