"""No change without its entry in the history: both happen, or neither does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import ApiToken, Role, User, UserSettings
from accounts.services import settings as settings_service
from accounts.services import tokens, users
from core import history
from core.models import HistoryEntry, OneTimeSecret, OutboxMessage, Tenant
from devices.models import Command, Device
from devices.services import actions, lifecycle, pins, wipes
from enrollment.models import EnrollmentSession, Invitation
from enrollment.services import invitations
from tests import factories

pytestmark = pytest.mark.django_db


class Unwritable(Exception):
    pass


@pytest.fixture
def no_history(monkeypatch):
    def refuse(*_args, **_options):
        raise Unwritable

    return lambda: monkeypatch.setattr(history, "record", refuse)


def picture() -> dict[str, list]:
    """Every row that the actions below could touch."""
    models = (
        User, Role, ApiToken, UserSettings, Tenant, Device, Command, Invitation,
        EnrollmentSession, OneTimeSecret, OutboxMessage, HistoryEntry,
    )  # fmt: skip
    rows = {model.__name__: list(model.objects.order_by("pk").values()) for model in models}
    rows["roles"] = list(User.roles.through.objects.order_by("pk").values())
    return rows


def wipe(cast) -> None:
    label = cast["device"].label
    wipes.order(device=cast["device"], actor=cast["owner"].actor, confirmation=label, reason="lost")


ACTIONS: dict[str, Callable[[dict], object]] = {
    "wipe": wipe,
    "retire": lambda c: lifecycle.request_retire(device=c["device"], actor=c["owner"].actor),
    "lock": lambda c: actions.lock(device=c["device"], actor=c["owner"].actor),
    "check in": lambda c: actions.check_in(device=c["device"], actor=c["owner"].actor),
    "reveal a PIN": lambda c: pins.reveal_pin(device=c["mac"], actor=c["owner"].actor),
    "delete": lambda c: lifecycle.delete(device=c["ended"], actor=c["owner"].actor),
    "invite": lambda c: invitations.invite(
        tenant=c["tenant"], emails=["new@acme.test"], actor=c["owner"].actor
    ),
    "revoke": lambda c: invitations.revoke(invitation=c["invitation"], actor=c["owner"].actor),
    "disable": lambda c: users.set_enabled(user=c["person"], enabled=False, actor=c["owner"].actor),
    "give roles": lambda c: users.set_roles(
        user=c["person"], roles=[c["role"]], principal=c["owner"]
    ),
    "set a password": lambda c: users.set_password(
        user=c["person"], password="quite another password", actor=c["owner"].actor
    ),
    "add somebody": lambda c: users.create(
        tenant=c["tenant"], email="new@acme.test", actor=c["owner"].actor
    ),
    "make a token": lambda c: factories.token(c["owner"], "devices.view"),
    "revoke a token": lambda c: tokens.revoke(token=c["token"], actor=c["owner"].actor),
    "change the policy": lambda c: settings_service.change_policy(
        policy=c["policy"], actor=c["owner"].actor, pin_length=6
    ),
}


@pytest.fixture
def cast(tenant, owner, person, device) -> dict:
    mac = factories.device(tenant, person, platform="mac")
    pins.keep_pin(mac)
    return {
        "tenant": tenant,
        "owner": owner,
        "person": person,
        "device": device,
        "mac": mac,
        "ended": factories.device(tenant, person, state="retired"),
        "invitation": invitations.invite_user(user=person, actor=owner.actor),
        "role": Role.objects.get(tenant=tenant, key="helpdesk"),
        "token": factories.token(owner, "devices.view")[0],
        "policy": UserSettings.objects.get(tenant=tenant),
    }


@pytest.mark.parametrize("action", ACTIONS)
def test_what_cannot_be_written_down_does_not_happen(cast, no_history, action):
    before = picture()
    no_history()
    with pytest.raises(Unwritable):
        ACTIONS[action](cast)
    assert picture() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_what_happens_is_written_down_with_who_did_it(cast, action):
    known = set(HistoryEntry.objects.values_list("pk", flat=True))
    ACTIONS[action](cast)
    entries = HistoryEntry.objects.exclude(pk__in=known)
    assert entries
    assert any(entry.actor_label == cast["owner"].email for entry in entries)
    assert {entry.tenant_id for entry in entries} == {cast["tenant"].pk}
