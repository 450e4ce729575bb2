"""Views of a list: saved, shared, begun with, never another organisation's."""

from __future__ import annotations

import pytest

from accounts.models import SavedView
from accounts.services import views
from core.errors import DomainError
from tests.portal import history_of, path, text

pytestmark = pytest.mark.django_db
DEVICES = "devices:device-list"


def save(user, name="Macs", query="platform=mac", **fields):
    return views.save(
        owner=user, actor=user.actor, list_name=DEVICES, name=name, query=query, **fields
    )


def test_a_view_is_saved_from_the_list_and_restores_it(signed_in, admin, device):
    client = signed_in(admin)
    form = f"{path('accounts:view-new')}?list={DEVICES}&query=platform%3Dmac%26page%3D3"
    assert client.get(form).status_code == 200
    response = client.post(form, {"name": "Our Macs"}, follow=True)
    view = SavedView.objects.get()
    assert view.query == "platform=mac"
    assert response.request["QUERY_STRING"] == f"platform=mac&view={view.pk}"
    assert "Our Macs" in text(response)
    assert device.serial not in text(response).split("<table")[-1]


def test_a_shared_view_is_a_colleagues_too(signed_in, admin, helpdesk, stranger):
    own, shared = save(admin, "Mine"), save(admin, "Ours", is_shared=True)
    page = text(signed_in(helpdesk).get(path(DEVICES) + "?q=x"))
    assert "Ours" in page
    assert "Mine" not in page
    assert "Ours" not in text(signed_in(stranger).get(path(DEVICES) + "?q=x"))
    assert history_of(shared) == ["accounts.view.shared"]
    assert history_of(own) == []


def test_a_list_begins_with_the_default_until_everything_is_asked_for(signed_in, admin, device):
    view = save(admin, is_default=True)
    client = signed_in(admin)
    response = client.get(path(DEVICES))
    assert response.url == f"{path(DEVICES)}?platform=mac&view={view.pk}"
    assert device.serial in text(client.get(f"{path(DEVICES)}?view=all"))
    cleared = client.get(response.url).context["chips"]["clear_url"]
    assert device.serial in text(client.get(cleared))


def test_there_is_one_default(signed_in, admin):
    first, second = save(admin, "First", is_default=True), save(admin, "Second", is_default=True)
    client = signed_in(admin)
    assert [row.name for row in SavedView.objects.filter(is_default=True)] == ["Second"]
    client.post(path("accounts:view-default", first.pk))
    assert [row.name for row in SavedView.objects.filter(is_default=True)] == ["First"]
    client.post(path("accounts:view-default", first.pk))
    assert not SavedView.objects.filter(is_default=True).exists()
    assert second.owner == admin


def test_only_its_owner_deletes_a_view(signed_in, admin, helpdesk, stranger):
    view = save(admin, is_shared=True)
    response = signed_in(helpdesk).post(path("accounts:view-delete", view.pk), follow=True)
    assert "belongs to a colleague" in text(response)
    assert signed_in(stranger).post(path("accounts:view-delete", view.pk)).status_code == 404
    assert signed_in(helpdesk).post(path("accounts:view-default", view.pk)).status_code == 302
    assert not SavedView.objects.filter(is_default=True).exists()
    signed_in(admin).post(path("accounts:view-delete", view.pk))
    assert not SavedView.objects.exists()


def test_a_name_is_taken_once(signed_in, admin):
    save(admin, "Macs")
    form = f"{path('accounts:view-new')}?list={DEVICES}&query="
    response = signed_in(admin).post(form, {"name": " macs "})
    assert response.status_code == 422
    assert "You have a view of this name already." in text(response)


@pytest.mark.parametrize("name", ["home", "settings-mail", "nothing", "", "https://evil.test"])
def test_only_lists_have_views(signed_in, admin, name):
    client = signed_in(admin)
    assert client.get(f"{path('accounts:view-new')}?list={name}").status_code == 404


def test_nobody_saves_a_view_of_what_they_may_not_see(signed_in, helpdesk, person):
    url = f"{path('accounts:view-new')}?list=history-list"
    status = 200 if helpdesk.has("history.view") else 404
    assert signed_in(helpdesk).get(url).status_code == status
    with pytest.raises(views.UnknownList):
        save(person)


@pytest.mark.parametrize("length", [2001, 9000])
def test_a_query_has_a_limit(admin, length):
    with pytest.raises(DomainError, match="too long"):
        save(admin, query="q=" + "x" * length)


def test_a_person_has_so_many_views(admin, monkeypatch):
    monkeypatch.setattr(views, "MAX_PER_PERSON", 2)
    save(admin, "1")
    save(admin, "2")
    with pytest.raises(views.TooManyViews):
        save(admin, "3")


def test_a_hostile_query_stays_a_query(signed_in, admin):
    view = save(admin, query='q="><script>&next=//evil.test&page=2', is_default=True)
    response = signed_in(admin).get(path(DEVICES))
    assert response.url.startswith(f"{path(DEVICES)}?q=%22%3E%3Cscript%3E")
    assert "page" not in view.query
    assert b"<script>&" not in signed_in(admin).get(response.url).content
