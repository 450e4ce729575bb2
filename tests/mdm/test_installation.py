from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from accounts.models import ApiToken, User
from core.models import HistoryEntry, StoredKey, Tenant
from mdm import installation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_keys")]


def test_a_new_server_gets_organisation_keys_owner_and_one_time_password(settings):
    settings.MUSTER_TENANT_NAME, settings.MUSTER_ADMIN_EMAIL = "Acme", "Olga@Acme.test"
    installed = installation.install()
    owner = User.objects.get()
    assert (installed.tenant.name, owner.email) == ("Acme", "olga@acme.test")
    assert owner.check_password(installed.password)
    assert owner.must_change_password
    assert owner.has("devices.wipe")
    assert StoredKey.objects.filter(tenant=installed.tenant).count() == 4


def test_a_second_run_changes_nothing_and_shows_no_password(settings):
    installation.install()
    before = (Tenant.objects.count(), User.objects.count(), StoredKey.objects.count())
    settings.MUSTER_TENANT_NAME, settings.MUSTER_ADMIN_EMAIL = "Other", "other@acme.test"
    assert installation.install().password == ""
    assert (Tenant.objects.count(), User.objects.count(), StoredKey.objects.count()) == before


def test_a_configured_password_is_used_and_never_shown(settings):
    settings.MUSTER_ADMIN_PASSWORD = "correct horse battery staple"
    installed = installation.install()
    assert installed.password == ""
    assert installed.owner.check_password("correct horse battery staple")


def test_a_weak_configured_password_is_refused_before_anything_is_made(settings):
    settings.MUSTER_ADMIN_PASSWORD = "password"
    with pytest.raises(ValidationError):
        installation.install()
    assert Tenant.objects.count() == 0


def test_the_bootstrap_command_prints_the_password_once(capsys):
    call_command("bootstrap")
    call_command("bootstrap")
    assert capsys.readouterr().out.count("One-time password") == 1


def test_create_token_prints_a_token_that_is_stored_hashed(capsys):
    owner = installation.install().owner
    call_command("create_token", "ci", owner=owner.email, scope=["devices.view"], days=30)
    text = capsys.readouterr().out.strip()
    token = ApiToken.objects.get()
    assert token.scopes == ["devices.view"]
    assert text.startswith(token.prefix)
    assert text not in token.hash
    assert HistoryEntry.objects.filter(action="accounts.token.created").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"owner": "nobody@acme.test"},
        {"scope": ["devices.fly"]},
        {"days": 0},
        {"days": 100_000},
        {"name": ""},
    ],
)
def test_create_token_refuses(wrong):
    owner = installation.install().owner
    options = {"owner": owner.email, "scope": [], "days": 30} | wrong
    with pytest.raises(CommandError):
        call_command("create_token", options.pop("name", "ci"), **options)
    assert ApiToken.objects.count() == 0


def test_create_token_gives_nobody_more_than_the_owner_has(helpdesk):
    with pytest.raises(CommandError):
        call_command("create_token", "ci", owner=helpdesk.email, scope=["devices.wipe"])


def test_recover_owner_gives_a_one_time_password_and_removes_the_second_factor(
    owner, signed_in, capsys
):
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={"secret": "x"})
    client = signed_in(owner)
    call_command("recover_owner", owner.email)
    password = re.search(r"One-time password: (\S+)", capsys.readouterr().out)[1]
    owner.refresh_from_db()
    assert owner.check_password(password)
    assert owner.must_change_password
    assert not Authenticator.objects.filter(user=owner).exists()
    assert client.get("/devices/").status_code == 302
    entry = HistoryEntry.objects.get(action="accounts.user.readmitted")
    assert (entry.actor_label, password in str(entry.data)) == ("recover_owner", False)


@pytest.mark.parametrize("who", ["admin", "stranger_disabled", "nobody"])
def test_recover_owner_is_for_enabled_owners_only(who, admin, stranger):
    stranger.is_active = False
    stranger.save()
    email = {"admin": admin.email, "stranger_disabled": stranger.email}.get(who, "no@acme.test")
    with pytest.raises(CommandError):
        call_command("recover_owner", email)
