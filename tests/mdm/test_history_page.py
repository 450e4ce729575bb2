"""Verifying, exporting and keeping the change history from the portal."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from core import clock, history
from core.models import HistoryEntry
from core.services import chain
from core.services.chain import digest
from tests.portal import path, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries(tenant, owner, device):
    made = [
        history.record(tenant, "core.tenant.changed", actor=owner.actor, data={"n": number})
        for number in range(3)
    ]
    history.record(device, "devices.check_in.requested", actor=owner.actor)
    chain.seal_pending()
    return made


def test_the_chain_is_verified_on_the_page(signed_in, auditor, entries):
    client = signed_in(auditor)
    assert "intact" not in text(client.get(path("history-verify")))
    page = text(client.post(path("history-verify")))
    assert "The history is intact" in page
    assert HistoryEntry.objects.get(chain_index=4).chain_hash in page


def test_tampering_is_said_plainly(signed_in, auditor, entries):
    HistoryEntry.objects.filter(pk=entries[1].pk).update(data={"n": 99})
    page = text(signed_in(auditor).post(path("history-verify")))
    assert "The history was tampered with" in page
    assert "Entry 2 of the chain" in page


def test_verifying_is_not_for_everybody_nor_without_end(signed_in, helpdesk, auditor, entries):
    assert signed_in(helpdesk).post(path("history-verify")).status_code == 403
    client = signed_in(auditor)
    for _ in range(5):
        client.post(path("history-verify"))
    assert "Wait a minute" in text(client.post(path("history-verify")))


def lines(client, query: str = "") -> list[dict]:
    response = client.get(f"{path('history-list')}?{query}&export=json")
    assert response.status_code == 200
    return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]


def test_the_json_is_enough_to_recompute_the_chain(signed_in, auditor, tenant, entries):
    found = [row for row in lines(signed_in(auditor)) if row["chain_index"]]
    previous = chain.GENESIS
    for row in sorted(found, key=lambda row: row["chain_index"]):
        entry = HistoryEntry(
            **{**row, "at": dt.datetime.fromisoformat(row["at"]), "tenant_id": tenant.pk}
        )
        assert digest(entry, previous) == row["chain_hash"]
        previous = row["chain_hash"]


def test_filters_hold_for_the_json_too(signed_in, auditor, device, entries, stranger):
    assert len(lines(signed_in(auditor), "about=devices")) == 1
    assert len(lines(signed_in(auditor), "action=core.tenant.changed")) == 3
    assert {row["action"] for row in lines(signed_in(stranger))} <= {"core.list.exported"}


def test_entries_are_found_by_kind_and_actor(signed_in, auditor, owner, entries):
    page = text(signed_in(auditor).get(f"{path('history-list')}?action=devices.check_in.requested"))
    assert "1–1 of 1" in page
    page = text(signed_in(auditor).get(f"{path('history-list')}?actor={owner.pk}"))
    assert "1–4 of 4" in page


def old(entries) -> None:
    at = clock.now() - dt.timedelta(days=900)
    HistoryEntry.objects.filter(pk__in=[entry.pk for entry in entries[:2]]).update(at=at)


def test_what_retention_deletes_is_said_before(signed_in, owner, tenant, entries):
    old(entries)
    client = signed_in(owner)
    response = client.post(path("settings-history"), {"months": "12"})
    assert response.status_code == 422
    assert "2 entries are older and would be deleted for good." in text(response)
    assert "Delete them and save" in text(response)
    tenant.refresh_from_db()
    assert tenant.history_months is None
    confirmed = response.context["form"]["confirmed"].value()
    client.post(path("settings-history"), {"months": "12", "confirmed": confirmed})
    tenant.refresh_from_db()
    assert tenant.history_months == 12
    client.post(path("settings-history"), {"months": ""})
    tenant.refresh_from_db()
    assert tenant.history_months is None


def test_an_auditor_may_look_at_the_retention_only(signed_in, auditor, tenant):
    client = signed_in(auditor)
    assert "not change them" in text(client.get(path("settings-history")))
    client.post(path("settings-history"), {"months": "12"})
    tenant.refresh_from_db()
    assert tenant.history_months is None
