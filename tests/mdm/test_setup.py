"""The start-up wizard: every step can be left, resumed, linked to; only the terms are a must."""

from __future__ import annotations

import pytest

from core.models import OutboxMessage, Tenant
from core.services import delivery
from enrollment.models import Invitation
from mdm.diagnosis import surroundings
from mdm.diagnosis.findings import Finding, Level
from mdm.setup import steps
from tests import factories
from tests.portal import history_of, path, text

pytestmark = pytest.mark.django_db
ORGANISATION = {"name": "Acme", "language": "fr", "time_zone": "Europe/Paris", "help_contact": ""}
OPTIONAL = [step.key for step in steps.STEPS if not step.must and step.key != steps.SUMMARY]


@pytest.fixture
def tenant(db):
    return factories.tenant("acme", name="Acme Aerospace", setup_finished_at=None)


def outcomes(tenant) -> dict:
    return Tenant.objects.get(pk=tenant.pk).setup_outcomes


def accept(client):
    return client.post(path("setup-step", "terms"), {"is_accepted": "on"})


def test_a_new_organisation_is_led_into_the_setup_once(signed_in, owner):
    client = signed_in(owner)
    assert client.get("/").url == path("setup")
    assert client.get(path("setup")).url == path("setup-step", "terms")
    page = text(client.get("/"))
    assert "Set up this server" in page
    assert "0 of 7 steps are done. Next: Terms." in page


@pytest.mark.parametrize("who", ["auditor", "helpdesk"])
def test_nobody_without_the_right_meets_it(request, signed_in, who):
    client = signed_in(request.getfixturevalue(who))
    assert "Set up this server" not in text(client.get("/"))
    for step in steps.STEPS:
        assert client.get(path("setup-step", step.key)).status_code == 403
        assert client.post(path("setup-skip", step.key)).status_code == 403


def test_the_whole_way(signed_in, owner, tenant):
    client = signed_in(owner)
    assert accept(client).url == path("setup-step", "organisation")
    response = client.post(path("setup-step", "organisation"), ORGANISATION)
    assert response.url == path("setup-step", "address")
    assert client.post(path("setup-step", "address")).url == path("setup-step", "mail")
    assert client.post(path("setup-step", "mail")).url == path("setup-step", "push")
    assert client.post(path("setup-skip", "push")).url == path("setup-step", "people")
    response = client.post(path("setup-step", "people"), {"emails": "ada@acme.test"})
    assert response.url == path("setup-step", "summary")
    assert Invitation.objects.get(tenant=tenant).user.email == "ada@acme.test"
    assert client.post(path("setup-step", "summary")).url == path("home")
    tenant.refresh_from_db()
    assert (tenant.name, tenant.language) == ("Acme", "fr")
    assert tenant.setup_finished_at is not None
    assert tenant.setup_outcomes["push"] == "skipped"
    assert history_of(tenant) == [
        "core.tenant.terms_accepted",
        "core.tenant.changed",
        "core.tenant.setup_finished",
    ]
    assert client.get("/").context["setup_hint"]() is None


def test_it_resumes_at_the_first_open_step(signed_in, owner, tenant):
    client = signed_in(owner)
    accept(client)
    client.post(path("setup-step", "mail"))
    assert client.get(path("setup")).url == path("setup-step", "organisation")
    client.post(path("setup-skip", "organisation"))
    client.post(path("setup-step", "address"))
    assert client.get(path("setup")).url == path("setup-step", "push")
    assert "The setup is not finished" in text(client.get(path("settings-mail")))


@pytest.mark.parametrize("key", [step.key for step in steps.STEPS])
def test_every_step_is_a_link_of_its_own(signed_in, owner, key):
    response = signed_in(owner).get(path("setup-step", key))
    assert response.status_code == 200
    assert "of 7" in text(response)
    assert 'aria-current="step"' in text(response)


@pytest.mark.parametrize("key", OPTIONAL)
def test_what_was_done_is_not_skipped_afterwards(signed_in, owner, tenant, key):
    client = signed_in(owner)
    client.post(path("setup-skip", key))
    assert outcomes(tenant)[key] == "skipped"
    if key in ("address", "mail", "push"):
        client.post(path("setup-step", key))
        client.post(path("setup-skip", key))
        assert outcomes(tenant)[key] == "done"


def test_terms_are_a_must(signed_in, owner, tenant):
    client = signed_in(owner)
    response = client.post(path("setup-step", "terms"), {})
    assert response.status_code == 422
    assert "Accept the terms to go on." in text(response)
    response = client.post(path("setup-skip", "terms"), follow=True)
    assert "cannot be skipped" in text(response)
    response = client.post(path("setup-step", "summary"))
    assert response.status_code == 422
    assert "Before you finish: Terms." in text(response)
    tenant.refresh_from_db()
    assert tenant.setup_finished_at is None
    assert outcomes(tenant) == {}


def test_accepting_and_finishing_twice_is_told_once(signed_in, owner, tenant):
    client = signed_in(owner)
    for _ in range(2):
        accept(client)
        client.post(path("setup-step", "summary"))
    assert history_of(tenant) == ["core.tenant.terms_accepted", "core.tenant.setup_finished"]


def test_a_wrong_field_keeps_what_was_typed(signed_in, owner, tenant):
    client = signed_in(owner)
    response = client.post(path("setup-step", "organisation"), ORGANISATION | {"name": ""})
    assert response.status_code == 422
    assert 'value="fr" selected' in text(response)
    assert outcomes(tenant) == {}
    response = client.post(path("setup-step", "people"), {"emails": "ada@acme.test, nonsense"})
    assert response.status_code == 422
    assert "nonsense" in text(response)
    assert not Invitation.objects.exists()


def test_the_mail_is_previewed_without_being_sent(signed_in, owner):
    client = signed_in(owner)
    response = client.post(
        path("setup-step", "people"), {"emails": "ada@acme.test", "preview": "1"}
    )
    assert "Nothing was sent" in text(response)
    assert not OutboxMessage.objects.exists()


def test_the_test_mail_tells_what_became_of_it(signed_in, owner, tenant, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = settings.MAIL_DIR = tmp_path
    client = signed_in(owner)
    client.post(path("setup-step", "mail"), {"test": "1"})
    assert 'hx-trigger="every 2s"' in text(client.get(path("setup-step", "mail")))
    delivery.sweep()
    page = text(client.get(path("setup-step", "mail")))
    assert "every 2s" not in page
    assert "Read it among the written mails" in page
    assert "mail" not in outcomes(tenant)


def test_another_organisations_setup_is_not_touched(signed_in, stranger, tenant, owner):
    signed_in(stranger)
    client = signed_in(stranger)
    client.post(path("setup-step", "terms"), {"is_accepted": "on"})
    assert outcomes(tenant) == {}


def test_nothing_but_steps_is_found(signed_in, owner):
    client = signed_in(owner)
    assert client.get(path("setup-step", "nothing")).status_code == 404
    assert client.post(path("setup-skip", "nothing")).status_code == 404


def test_health_tells_what_is_wrong_and_how_to_mend_it(signed_in, owner):
    client = signed_in(owner)
    frame = client.get(path("settings-health"))
    assert "findings" not in frame.context
    page = text(client.get(path("settings-health") + "?now=1"))
    assert "There is no push certificate." in page
    assert "Get one under Settings" in page


def test_a_part_takes_its_own_checks_only(signed_in, owner, monkeypatch):
    monkeypatch.setattr(
        surroundings, "check_mail", lambda: pytest.fail("the mail server was asked")
    )
    response = signed_in(owner).get(path("settings-health") + "?now=1&part=address")
    found = {row["finding"].key for row in response.context["findings"]}
    assert found == {"address", "tls", "proxy"}


def test_health_tells_nothing_of_other_organisations(
    signed_in, owner, tenant, other_tenant, monkeypatch
):
    factories.with_keys(tenant, monkeypatch)
    response = signed_in(owner).get(path("settings-health") + "?now=1")
    assert other_tenant.name not in text(response)
    levels = {row["finding"].key: row["finding"].level for row in response.context["findings"]}
    assert levels["signer"] == Level.OK


def test_programs_read_the_same_findings(client, owner):
    _, secret = factories.token(owner, "settings.view")
    response = client.get("/api/v1/health/", headers={"Authorization": f"Bearer {secret}"})
    found = {row["key"]: row for row in response.json()}
    assert found["push"]["level"] == "warning"
    assert found["push"]["remedy"].startswith("Get one")


def test_health_is_not_a_way_to_keep_the_server_busy(signed_in, owner, monkeypatch):
    fine = Finding("mail", Level.OK, "fine")
    monkeypatch.setattr("mdm.views.checks.examine_for", lambda tenant, part: [fine])
    client = signed_in(owner)
    for _ in range(20):
        client.get(path("settings-health") + "?now=1&part=mail")
    assert "Wait a minute" in text(client.get(path("settings-health") + "?now=1&part=mail"))
