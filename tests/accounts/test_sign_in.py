from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings as django_settings
from django.core import mail as django_mail
from django.urls import reverse

from accounts.models import User
from accounts.services import users
from core.models import HistoryEntry
from core.services import delivery
from tests import factories
from tests.factories import PASSWORD
from tests.portal import confirm

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_second_factor(settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = False


def sign_in(client, email: str, password: str = PASSWORD):
    return client.post(reverse("account_login"), {"login": email, "password": password})


def work_off() -> None:
    """Let the workers do what is due, letters and the mails that come of them."""
    while delivery.sweep():
        pass


def test_an_administrator_signs_in(client, owner):
    response = sign_in(client, owner.email.upper())
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(owner.pk)


@pytest.mark.parametrize(
    "who", ["wrong password", "unknown", "end user", "disabled", "no password"]
)
def test_everybody_else_gets_the_same_answer(client, owner, tenant, who):
    attempts = {
        "wrong password": (owner.email, "not the password at all"),
        "unknown": ("nobody@acme.test", PASSWORD),
        "end user": (factories.user(tenant).email, PASSWORD),
        "disabled": (factories.user(tenant, "helpdesk", is_active=False).email, PASSWORD),
        "no password": (factories.user(tenant, password=None).email, PASSWORD),
    }
    email, password = attempts[who]
    response = sign_in(client, email, password)
    assert response.status_code == 200
    assert "_auth_user_id" not in client.session
    form = response.context["form"]
    assert form.non_field_errors().data[0].code == "email_password_mismatch"


def test_five_failures_lock_the_account_for_a_while(client, owner):
    for _attempt in range(5):
        sign_in(client, owner.email, "wrong")
    sign_in(client, owner.email)
    assert "_auth_user_id" not in client.session


def test_signing_in_changes_the_session_id(client, owner):
    client.session["planted"] = True
    client.session.save()
    before = client.session.session_key
    sign_in(client, owner.email)
    assert client.session.session_key != before


def test_the_session_ends_after_a_day(client, owner):
    sign_in(client, owner.email)
    assert client.session.get_expiry_age() <= 24 * 3600


def test_the_cookie_is_guarded(client, owner):
    cookie = sign_in(client, owner.email).cookies[django_settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie.key == "muster-admin"


def test_nobody_can_sign_up(client):
    for path in ("/signup/", "/accounts/signup/", "/sign-up/"):
        assert client.get(path).status_code in (302, 404)
    assert not User.objects.exists()


def test_a_temporary_password_must_be_changed_first(client, owner):
    User.objects.update(must_change_password=True)
    sign_in(client, owner.email)
    response = client.get("/")
    assert response.status_code == 302
    assert response.url == reverse("account_change_password")
    new = "a much better passphrase"
    client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )
    owner.refresh_from_db()
    assert owner.check_password(new)
    assert not owner.must_change_password
    assert HistoryEntry.objects.about(owner).get().action == "accounts.password.changed"
    work_off()
    assert [mail.to for mail in django_mail.outbox] == [[owner.email]]


def test_an_administrator_must_add_a_second_factor(client, owner, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = True
    client.force_login(owner, backend="accounts.backends.PortalBackend")
    response = client.get("/")
    assert (response.status_code, response.url) == (302, reverse("mfa_activate_totp"))


def test_with_a_second_factor_the_password_alone_is_not_enough(client, owner, settings):
    settings.MUSTER_REQUIRE_ADMIN_MFA = True
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(owner, secret)
    assert secret not in str(Authenticator.objects.get().data)
    response = sign_in(client, owner.email)
    assert response.url.startswith(reverse("mfa_authenticate"))
    assert "_auth_user_id" not in client.session
    code = totp.format_hotp_value(
        totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time())))
    )
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert client.session["_auth_user_id"] == str(owner.pk)


def test_a_reset_is_asked_for_with_the_same_answer_for_all(client, owner, tenant):
    answers = []
    for email in (owner.email, "unknown@acme.test", factories.user(tenant, is_active=False).email):
        response = client.post(reverse("account_reset_password"), {"email": email})
        answers.append((response.status_code, response.url))
    assert len(set(answers)) == 1
    work_off()
    assert [mail.to for mail in django_mail.outbox] == [[owner.email]]


def test_a_reset_link_dies_with_the_password(client, owner):
    client.post(reverse("account_reset_password"), {"email": owner.email})
    work_off()
    text = django_mail.outbox[-1].body
    link = next(word for word in text.split() if "/account/password/reset/" in word)
    path = "/" + link.split("/", 3)[3]
    assert client.get(path).status_code == 302
    users.set_password(user=owner, password="changed in the meantime, then", actor=owner.actor)
    client.session.flush()
    assert client.get(path).status_code == 200
    assert "token_fail" in client.get(path).context


def test_a_reset_link_uses_the_public_address_whatever_the_host(client, owner, settings):
    settings.ALLOWED_HOSTS = ["testserver", "localhost"]
    client.post(
        reverse("account_reset_password"), {"email": owner.email}, headers={"host": "localhost"}
    )
    work_off()
    text = django_mail.outbox[-1].body
    assert f"{settings.MUSTER_PUBLIC_URL}/account/password/reset/" in text


def test_an_unknown_host_is_refused(client):
    assert client.get("/sign-in/", headers={"host": "evil.test"}).status_code == 400


def test_a_change_of_the_second_factor_is_told(client, owner, django_capture_on_commit_callbacks):
    client.force_login(owner, backend="accounts.backends.PortalBackend")
    confirm(client)
    client.get(reverse("mfa_activate_totp"))
    secret = client.session["mfa.totp.secret"]
    code = totp.format_hotp_value(
        totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time())))
    )
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("mfa_activate_totp"), {"code": code})
    client.post(reverse("mfa_deactivate_totp"))
    actions = HistoryEntry.objects.about(owner).order_by("id").values_list("action", flat=True)
    assert [one for one in actions if "second_factor" in one] == [
        "accounts.second_factor.added",
        "accounts.second_factor.removed",
    ]
    work_off()
    assert len(django_mail.outbox) >= 2
    assert {mail.to[0] for mail in django_mail.outbox} == {owner.email}


def test_somebody_without_role_and_password_gets_no_reset_link(client, person, tenant):
    """Their way in is a PIN; a link to a mailbox must not replace it."""
    client.post(reverse("account_reset_password"), {"email": person.email})
    invited = factories.user(tenant, "helpdesk", password=None)
    client.post(reverse("account_reset_password"), {"email": invited.email})
    work_off()
    assert [mail.to for mail in django_mail.outbox] == [[invited.email]]
