"""Lists: pages, sorting, filters, and what they refuse."""

from __future__ import annotations

import base64
import datetime as dt
import json

import pytest

from accounts.models import User
from core import clock, history
from core.models import HistoryEntry
from devices.models import Device, DeviceContact
from devices.states import DeviceState
from tests import factories
from tests.api.conftest import code_of, fields_of

pytestmark = pytest.mark.django_db

LISTS = [
    "devices/",
    "commands/",
    "users/",
    "roles/",
    "invitations/",
    "enrollments/",
    "history/",
    "messages/",
    "tokens/",
]


@pytest.fixture
def fleet(tenant, person):
    names = ["Delta", "alpha", "Bravo", "", "", "charlie", "éclair"]
    return [factories.device(tenant, person, name=name) for name in names]


def test_a_list_is_read_page_by_page_without_loss_or_repetition(api, fleet):
    for sort in ("created_at", "-created_at", "name", "-name", "serial", "-state_changed_at"):
        rows = api.all(f"devices/?sort={sort}&page_size=2")
        assert sorted(row["id"] for row in rows) == sorted(str(one.pk) for one in fleet)


def test_rows_with_one_value_do_not_trap_a_page(api, tenant, person):
    moment = clock.now()
    made = [factories.device(tenant, person, name="same", created_at=moment) for _ in range(7)]
    assert len(api.all("devices/?sort=name&page_size=1")) == len(made)
    assert len(api.all("devices/?page_size=3")) == len(made)


def test_a_row_that_comes_in_between_moves_nothing(api, fleet, tenant):
    first = api.get("devices/?page_size=3").json()
    factories.device(tenant)
    second = api.get(first["next"].replace("http://testserver", "")).json()
    assert not {row["id"] for row in first["results"]} & {row["id"] for row in second["results"]}


def test_the_order_is_the_one_asked_for(api, tenant):
    for name in ("bravo", "delta", "alpha"):
        factories.device(tenant, name=name)
    names = [row["name"] for row in api.get("devices/?sort=-name").json()["results"]]
    assert names == sorted(names, reverse=True)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        "sort=push_token",
        "sort=hash",
        "sort=password",
        "sort=user__password",
        "sort=tenant__slug",
        "sort=sealed_push",
        "sort=-",
        "sort=--created_at",
        "sort=created_at,name",
        "sort=1;select",
        "sort=%60",
        "sort=name')--",
        "order=name",
        "ordering=name",
        "filter[name]=x",
        "fields=password",
        "tenant=globex",
        "tenant_id=1",
        "user__password=x",
        "_connector=OR",
        "name__regex=.*",
        "format=xml",
        "page_size=0",
        "page_size=201",
        "page_size=-1",
        "page_size=ten",
        "page_size=9999999999999999999999",
        "cursor=!!!",
        "cursor=AAAA",
        "cursor=" + "A" * 2000,
    ],
)
def test_what_a_list_does_not_know_is_refused(api, path, query):
    answer = api.get(f"{path}?{query}")
    assert (answer.status_code, code_of(answer)) == (400, "invalid")
    assert set(fields_of(answer)) == {query.partition("=")[0]}


def forged(*content) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(content)).encode()).decode()


PK = "01a1f84a-092b-7d89-b8c5-0cd659569dc6"


@pytest.mark.parametrize(
    "cursor",
    [
        forged("2026-01-01", PK),
        forged("2026-01-01T00:00:00", PK),
        forged(None, PK),
        forged(True, PK),
        forged([], PK),
        forged({"a": 1}, PK),
        forged("x", PK),
        forged("2026-01-01T00:00:00Z"),
        forged("2026-01-01T00:00:00Z", "x"),
        forged("2026-01-01T00:00:00Z", None),
        forged("2026-01-01T00:00:00Z", PK, PK),
        base64.urlsafe_b64encode(b"[" * 500).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        "ünïcode",
    ],
)
def test_a_forged_cursor_is_refused(api, cursor):
    answer = api.get(f"devices/?cursor={cursor}")
    assert answer.status_code == 400
    assert "cursor" in fields_of(answer)


@pytest.mark.parametrize("value", [2**63, -(2**70), 10**300])
def test_a_number_that_no_database_holds_is_refused(api, value):
    assert api.get(f"history/?cursor={forged(value, value)}").status_code == 400


def test_a_name_with_a_zero_byte_is_refused(api):
    assert api.get(f"devices/?sort=name&cursor={forged(chr(0), PK)}").status_code == 400
    assert api.get("devices/?q=%00").status_code in (200, 400)


def test_a_parameter_on_a_single_row_is_refused(api, device):
    assert api.get(f"devices/{device.pk}/?q=x").status_code == 400


def test_the_filters_are_those_of_the_portal(api, tenant, person):
    mac = factories.device(tenant, person, platform="mac", name="Studio")
    old = factories.device(tenant, state=DeviceState.RETIRED)
    gone = factories.device(tenant, archived_at=clock.now(), state=DeviceState.RESET)
    DeviceContact.objects.filter(device=mac).update(last_seen_at=clock.now() - dt.timedelta(days=8))

    def found(query):
        return {row["id"] for row in api.all(f"devices/?{query}")}

    assert found("platform=mac") == {str(mac.pk)}
    assert found("state=retired") == {str(old.pk)}
    assert found("q=studio") == {str(mac.pk)}
    assert found(f"q={person.email}") == {str(mac.pk)}
    assert found("silent=week") == {str(mac.pk)}
    assert found("archived=only") == {str(gone.pk)}
    assert str(gone.pk) not in found("")
    assert found(f"user={person.pk}") == {str(mac.pk)}


@pytest.mark.parametrize(
    "query",
    ["state=gone", "platform=toaster", "silent=forever", "user=me", "q=" + "x" * 300],
)
def test_an_impossible_filter_value_is_refused(api, query):
    answer = api.get(f"devices/?{query}")
    assert (answer.status_code, code_of(answer)) == (400, "invalid")


def test_people_and_history_are_filtered_too(api, tenant, admin, helpdesk, person):
    emails = {row["email"] for row in api.all("users/?access=none")}
    assert emails == {person.email}
    assert [row["email"] for row in api.all("users/?q=hana")] == [helpdesk.email]
    history.record(person, "accounts.user.edited", actor=admin.actor, data={"x": 1})
    rows = api.all("history/?about=accounts&by=user&q=pia")
    assert [row["action"] for row in rows] == ["accounts.user.edited"]
    assert rows[0]["actor"] == {"kind": "user", "id": str(admin.pk), "label": admin.email}
    assert rows[0]["about"]["id"] == str(person.pk)


def test_another_organisations_role_is_no_filter(api, other_tenant):
    from accounts.models import Role

    theirs = Role.objects.filter(tenant=other_tenant).first()
    assert api.get(f"users/?role={theirs.pk}").status_code == 400


@pytest.mark.parametrize("path", LISTS)
def test_a_list_shows_nothing_of_another_organisation(path, api, foreign_api, device, person):
    history.record(device, "devices.device.renamed", actor=person.actor)
    ours = {row["id"] for row in api.all(path)}
    theirs = {row["id"] for row in foreign_api.all(path)}
    assert not ours & theirs
    assert device.serial not in foreign_api.get(path).content.decode()


@pytest.mark.parametrize("path", LISTS)
def test_the_queries_of_a_list_do_not_grow(
    path, api, tenant, person, owner, django_assert_max_num_queries
):
    for number in range(12):
        row = factories.device(tenant, person)
        factories.command(row)
        factories.user(tenant, "helpdesk", email=f"many{number}@acme.test")
        history.record(row, "devices.device.renamed", actor=owner.actor)
    # The token with its owner, the owner's rights, the page, and one for what hangs on it.
    with django_assert_max_num_queries(5):
        assert api.get(path).status_code == 200


def test_the_query_count_of_details_is_small(api, device, django_assert_max_num_queries):
    api.get("devices/")
    # Token, device with what it is shown with, lost mode, custom attributes.
    with django_assert_max_num_queries(5):
        assert api.get(f"devices/{device.pk}/").status_code == 200


def test_secrets_are_in_no_answer(api, tenant, owner, device):
    """S-86: whatever a row holds sealed or hashed never leaves, not even as its ciphertext."""
    Device.objects.update(sealed_pin=b"SEALED-PIN-BYTES")
    device.channels.update(sealed_push=b"SEALED-PUSH-BYTES", push_token_sha256="f" * 64)
    factories.command(device, sealed_params=b"SEALED-PARAMS")
    User.objects.filter(pk=owner.pk).update(password="pbkdf2$HASHED")
    paths = [*LISTS, f"devices/{device.pk}/", f"devices/{device.pk}/inventory/", "push/"]
    for path in paths:
        text = api.get(path).content.decode()
        for word in ("sealed", "SEALED", "U0VBTEVE", "f" * 64, "pbkdf2", 'hash":"', api.token):
            assert word not in text or (word == 'hash":"' and path == "history/"), (path, word)


def test_the_history_is_only_read(api, device):
    entry = history.record(device, "devices.device.renamed", actor=device.actor)
    for method in ("PUT", "PATCH", "DELETE", "POST"):
        assert api.call(method, f"history/{entry.pk}/", {}).status_code in (403, 405)
    assert HistoryEntry.objects.filter(pk=entry.pk).exists()
