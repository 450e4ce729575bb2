"""What every list offers as a whole: its rows as CSV, a choice of columns."""

from __future__ import annotations

import csv
import io

import pytest

from core.models import HistoryEntry
from core.views import exports
from tests import factories
from tests.portal import path, text

pytestmark = pytest.mark.django_db
LISTS = [
    "devices:device-list",
    "user-list",
    "invitations:invitation-list",
    "invitations:session-list",
    "history-list",
]


def exported(client, name: str, query: str = "", delimiter: str = ",") -> list[list[str]]:
    response = client.get(f"{path(name)}?{query}&export=csv")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/csv")
    content = b"".join(response.streaming_content).decode()
    assert content.startswith("\ufeff")
    return list(csv.reader(io.StringIO(content[1:]), delimiter=delimiter))


@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_exported_with_its_columns(signed_in, owner, device, name):
    header, *_rows = exported(signed_in(owner), name)
    assert len(header) >= 4
    assert all(header)


def test_all_rows_of_the_filter_are_exported(signed_in, owner, tenant):
    for number in range(60):
        factories.device(tenant, owner, name=f"Mac {number}", platform="mac")
    factories.device(tenant, owner, name="A phone")
    _, *rows = exported(signed_in(owner), "devices:device-list", "platform=mac")
    assert len(rows) == 60
    assert {row[1] for row in rows} == {owner.email}


def test_columns_are_chosen_for_page_and_file(signed_in, owner, device):
    query = "col=identifier&col=serial&col=nonsense"
    client = signed_in(owner)
    header, row = exported(client, "devices:device-list", query)
    assert header == ["Device", "Serial number", "Identifier"]
    assert row == [device.label, device.serial, device.physical.key]
    page = text(client.get(f"{path('devices:device-list')}?{query}"))
    assert device.physical.key in page
    assert "Last contact</a>" not in page
    assert "The usual columns" in page


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("a=b", "a=b"),
        (-3, "-3"),
        (None, ""),
        (True, "1"),
        ("a\x00b", "ab"),
        ("Zoé 📱", "Zoé 📱"),
    ],
)
def test_no_cell_becomes_a_formula(value, cell):
    assert exports.safe(value) == cell


def test_a_hostile_name_is_text_in_the_file(signed_in, owner, tenant):
    name = '=HYPERLINK("https://evil.test";"click")\n,;"'
    factories.device(tenant, owner, name=name)
    (_, row) = exported(signed_in(owner), "devices:device-list")
    assert row[0] == f"'{name}"


def test_a_french_spreadsheet_reads_it(signed_in, owner, device):
    owner.language = "fr"
    owner.save()
    header, row = exported(signed_in(owner), "devices:device-list", delimiter=";")
    assert header[0] == "Appareil"
    assert row[4] == "Actif"


def test_nobody_exports_what_they_may_not_see(signed_in, helpdesk, person, foreign_device, device):
    rows = exported(signed_in(helpdesk), "devices:device-list")
    assert foreign_device.label not in {row[0] for row in rows}
    assert signed_in(person).get(f"{path('history-list')}?export=csv").status_code in (302, 403)


def test_the_history_says_who_took_the_list(signed_in, owner, device):
    exported(signed_in(owner), "devices:device-list", "q=pia")
    entry = HistoryEntry.objects.get(action="core.list.exported")
    assert entry.actor_id == str(owner.pk)
    assert entry.data == {"list": "device-list", "filter": "q=pia&export=csv"}


def test_lists_are_not_exported_without_end(signed_in, owner):
    client = signed_in(owner)
    for _ in range(10):
        exported(client, "devices:device-list")
    response = client.get(f"{path('devices:device-list')}?q=x&export=csv", follow=True)
    assert "Ten lists in ten minutes" in text(response)
    assert response.request["QUERY_STRING"] == "q=x"


def test_an_export_costs_the_same_for_many_rows(
    signed_in, owner, tenant, django_assert_max_num_queries
):
    for number in range(30):
        factories.device(tenant, factories.user(tenant), name=f"Phone {number}")
    client = signed_in(owner)
    with django_assert_max_num_queries(14):
        assert len(exported(client, "devices:device-list")) == 31
