from __future__ import annotations

import uuid

import pytest
from django.db.models import ProtectedError

from accounts.errors import TermsAccepted, TermsMissing
from accounts.models import TermsAcceptance, TermsOfService
from accounts.services import terms
from core.models import HistoryEntry
from enrollment.models import IssuedProfile
from enrollment.services import profiles
from tests import factories
from tests.enrollment.conftest import ADMIN, PASSWORD
from tests.portal import history_of, path, text

pytestmark = pytest.mark.django_db
WORDS = {"title": "House <rules>", "text": "Be kind.\n\nLock your device."}


@pytest.fixture
def asked(tenant):
    return terms.publish(tenant=tenant, actor=ADMIN, **WORDS)


@pytest.fixture
def reader(asked, person, invited, pages):
    """A browser that stands before the terms."""
    _invitation, letter = invited()
    page = pages().open(letter.link).send("start").send("pin", pin=letter.pin)
    page.send("password", password1=PASSWORD, password2=PASSWORD)
    assert page.step == "terms", page.html
    return page


def test_terms_come_after_the_person_is_known_and_before_the_profile(reader, asked, person):
    assert "House &lt;rules&gt;" in reader.html
    assert "<p>Lock your device.</p>" in reader.html
    assert "Accept the terms" in reader.html
    reader.send("terms", terms=asked.pk, accepted="on")
    assert reader.step == "profile"
    accepted = TermsAcceptance.objects.get()
    assert (accepted.user, accepted.terms, accepted.ip) == (person, asked, "203.0.113.7")
    assert accepted.place == "page"
    assert "accounts.terms.accepted" in history_of(person)
    assert reader.send("profile").download


def test_without_the_tick_nothing_goes_on(reader, asked):
    reader.send("terms", terms=asked.pk)
    assert reader.response.status_code == 400
    assert "Tick the box to accept the terms." in reader.errors
    assert reader.step == "terms"
    assert not TermsAcceptance.objects.exists()


def test_the_profile_cannot_be_had_by_skipping_them(reader, person):
    reader.send("profile")
    assert reader.response.status_code == 409
    assert reader.step == "terms"
    assert not IssuedProfile.objects.exists()
    session = person.enrollment_sessions.get()
    with pytest.raises(TermsMissing):
        profiles.issue(session=session, language="en", actor=ADMIN)


@pytest.mark.parametrize("which", ["unknown", "nonsense", "foreign"])
def test_only_the_version_that_is_asked_for_can_be_accepted(reader, other_tenant, which):
    foreign = terms.publish(tenant=other_tenant, actor=ADMIN, **WORDS)
    chosen = {"unknown": uuid.uuid4(), "nonsense": "x", "foreign": foreign.pk}[which]
    reader.send("terms", terms=chosen, accepted="on")
    assert reader.response.status_code in (400, 409)
    assert not TermsAcceptance.objects.exists()


def test_a_version_published_while_somebody_reads_is_shown_instead(reader, asked, tenant):
    terms.publish(tenant=tenant, title="Newer", text="Be kinder.", actor=ADMIN)
    reader.send("terms", terms=asked.pk, accepted="on")
    assert reader.response.status_code == 409
    assert "There is a newer version of the terms." in reader.html
    assert "Be kinder." in reader.html
    assert not TermsAcceptance.objects.exists()


def test_who_accepted_is_asked_again_for_a_newer_version_only(asked, tenant, person):
    accept(person, asked)
    accept(person, asked)
    assert TermsAcceptance.objects.count() == 1
    assert terms.due(person) is None
    newer = terms.publish(tenant=tenant, actor=ADMIN, **WORDS)
    assert (newer.version, terms.due(person)) == (2, newer)
    asked.refresh_from_db()
    assert asked.retired_at is not None


def test_nobody_is_asked_when_it_is_switched_off_or_retired(asked, tenant, person, stranger):
    assert terms.due(stranger) is None
    terms.retire(terms=asked, actor=ADMIN)
    assert terms.due(person) is None
    terms.publish(tenant=tenant, actor=ADMIN, is_asked=False, **WORDS)
    assert terms.due(person) is None


def test_an_installation_under_way_is_not_interrupted(confirmed, tenant):
    page, _session = confirmed()
    page.send("profile")
    page.client.get(page.download)
    terms.publish(tenant=tenant, actor=ADMIN, **WORDS)
    page.open("/go")
    assert page.state()["state"] == "downloaded"
    assert page.step != "terms"


def accept(person, version):
    terms.accept(user=person, terms_id=version.pk, actor=person.person_actor, place="page")


def test_an_accepted_version_is_never_deleted(asked, person):
    accept(person, asked)
    with pytest.raises(TermsAccepted):
        terms.delete(terms=asked, actor=ADMIN)
    with pytest.raises(ProtectedError):
        asked.delete()


# The portal


def test_a_version_is_previewed_and_published(signed_in, admin, tenant):
    client, where = signed_in(admin), path("settings-terms-new")
    data = WORDS | {"is_asked": "on"}
    page = text(client.post(where, data | {"preview": "1"}))
    assert "House &lt;rules&gt;" in page
    assert "Nothing is published yet." in page
    assert not TermsOfService.objects.exists()
    page = text(client.post(where, data, follow=True))
    assert "Asked for" in page
    made = TermsOfService.objects.get()
    assert (made.version, made.tenant) == (1, tenant)
    assert history_of(made) == ["accounts.terms.published"]


@pytest.mark.parametrize("data", [{"title": "x"}, {"text": "x"}, WORDS | {"title": "x" * 121}])
def test_what_is_missing_or_too_long_is_refused(signed_in, admin, data):
    assert signed_in(admin).post(path("settings-terms-new"), data).status_code == 422
    assert not TermsOfService.objects.exists()


def test_the_page_counts_and_lists_who_accepted(signed_in, auditor, asked, person):
    accept(person, asked)
    client = signed_in(auditor)
    assert "1 person" in text(client.get(path("settings-terms")))
    page = text(client.get(path("settings-terms-detail", asked.pk)))
    assert path("user-detail", person.pk) in page
    assert "Registration page" in page
    assert client.get(path("settings-terms-detail", asked.pk), {"page": "x"}).status_code == 200


def test_versions_are_retired_and_deleted_after_a_question(signed_in, admin, asked, person):
    client = signed_in(admin)
    assert "stays on record" in text(client.get(path("settings-terms-retire", asked.pk)))
    client.post(path("settings-terms-retire", asked.pk))
    accept_directly(asked, person)
    answer = client.post(path("settings-terms-delete", asked.pk))
    assert answer.status_code == 422
    assert "so it is kept" in text(answer)
    TermsAcceptance.objects.all().delete()
    client.post(path("settings-terms-delete", asked.pk))
    assert not TermsOfService.objects.exists()
    actions = HistoryEntry.objects.filter(action__startswith="accounts.terms.")
    assert actions.filter(action="accounts.terms.deleted").exists()


def accept_directly(version, person):
    TermsAcceptance.objects.create(tenant=person.tenant, terms=version, user=person)


@pytest.mark.parametrize("name", ["new", "retire", "delete"])
def test_an_auditor_changes_nothing(signed_in, auditor, asked, name):
    where = path(f"settings-terms-{name}", *([] if name == "new" else [asked.pk]))
    assert signed_in(auditor).post(where, WORDS).status_code == 403
    assert TermsOfService.objects.get().retired_at is None


def test_the_api_publishes_retires_and_keeps_what_was_accepted(client, admin, person):
    _row, token = factories.token(admin)
    options = {"content_type": "application/json", "headers": {"Authorization": f"Bearer {token}"}}
    made = client.post("/api/v1/terms/", WORDS, **options)
    assert (made.status_code, made.json()["version"]) == (201, 1)
    where = f"/api/v1/terms/{made.json()['id']}/"
    accept(person, TermsOfService.objects.get())
    assert client.get(where, **options).json()["accepted_count"] == 1
    assert client.post(f"{where}retire/", {}, **options).json()["retired_at"]
    assert client.delete(where, **options).json()["error"]["code"] == "terms_accepted"
    assert client.post("/api/v1/terms/", {"title": ""}, **options).status_code == 400


# The client app


def test_a_client_app_shows_and_accepts_them(client, asked, person, platform):
    person.set_password(PASSWORD)
    person.save()
    token = factories.app_token(person)
    options = {"content_type": "application/json", "headers": {"Authorization": f"Bearer {token}"}}
    begun = client.post("/client/v1/enrollments/", {}, **options).json()
    assert (begun["state"], begun["needs"]) == ("not_confirmed", "terms")
    assert begun["terms"]["text"] == WORDS["text"]
    where = f"/client/v1/enrollments/{begun['id']}/"
    assert client.post(f"{where}profile/", {}, **options).json()["error"]["code"] == "terms_missing"
    wrong = client.post(f"{where}terms/", {"terms": str(uuid.uuid4())}, **options)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (409, "terms_outdated")
    after = client.post(f"{where}terms/", {"terms": begun["terms"]["id"]}, **options).json()
    assert (after["needs"], after["terms"]) == ("", None)
    assert TermsAcceptance.objects.get().place == "app"
    assert client.post(f"{where}profile/", {}, **options).status_code == 201
