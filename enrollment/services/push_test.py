"""Tries a push channel at an administrator's word, and says in plain words what came of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import User
from core import history, ids, ratelimit
from core.actors import Actor
from core.models import KeyPurpose, StoredKey, Tenant
from enrollment import channels
from enrollment.errors import NoPushKey, TestedTooOften
from enrollment.gateways import app_apns, fcm, web_push
from enrollment.gateways.exchange import Alert, Answer, Verdict
from enrollment.models import BrowserSubscription, ClientInstallation
from enrollment.services import push_addresses, push_keys

# A token that no device has: a service that finds fault with it has accepted who we are.
NOBODY = "0" * 64


@dataclass(frozen=True, slots=True)
class Tested:
    """`is_shown` says that something was sent to the tester's own device or browser."""

    is_good: bool
    is_shown: bool
    message: str


def test(*, tenant: Tenant, purpose: str, user: User | None, actor: Actor) -> Tested:
    """Send a test to the tester's own app or browser, or without one ask the service whether it
    knows us. Blocks for half a minute at most. Raises NoPushKey, TestedTooOften."""
    row = push_keys.find(tenant.pk, purpose)
    if row is None:
        raise NoPushKey
    if not ratelimit.allow("push_test", f"{tenant.pk}:{purpose}", capacity=5, refill_seconds=60):
        raise TestedTooOften
    own = _own(user, purpose)
    if purpose == KeyPurpose.WEB_PUSH and own is None:
        return Tested(True, False, _no_browser())
    answer = _TRIALS[KeyPurpose(purpose)](row, own)
    is_good = answer.verdict is Verdict.ACCEPTED
    if answer.verdict in (Verdict.ACCEPTED, Verdict.REFUSED):
        push_keys.note_trouble(row, "" if is_good else answer.words)
    data = {"purpose": purpose, "result": answer.words}
    history.record(row, "enrollment.push_key.tested", actor=actor, data=data)
    return Tested(is_good, is_good and own is not None, _told(answer, own is not None))


def _own(user: User | None, purpose: str) -> uuid.UUID | None:
    if user is None:
        return None
    names = {
        KeyPurpose.APP_APNS: "app_apns",
        KeyPurpose.APP_FCM: "app_fcm",
        KeyPurpose.WEB_PUSH: "web_push",
    }
    found = (one for one in channels.pushed(user) if one.channel == names[KeyPurpose(purpose)])
    return next((one.id for one in found), None)


def _alert() -> Alert:
    return Alert(_("This is a test"), _("Reminders reach this device."), str(ids.uuid7()))


def _try_apns(row: StoredKey, own: uuid.UUID | None) -> Answer:
    token = _token(own) if own else NOBODY
    answer = app_apns.send(push_keys.apns_of(row), token, _alert())
    if own is None and answer.reason == "BadDeviceToken":
        return Answer(Verdict.ACCEPTED, answer.status)
    return answer


def _try_fcm(row: StoredKey, own: uuid.UUID | None) -> Answer:
    credentials = push_keys.fcm_of(row)
    if own is None:
        return fcm.validate(credentials, _alert())
    return fcm.send(credentials, _token(own), _alert())


def _try_web_push(row: StoredKey, own: uuid.UUID | None) -> Answer:
    if own is None:
        return Answer(Verdict.MISTAKE, 0, "no browser")
    browser = BrowserSubscription.objects.get(pk=own)
    subscription, alert = push_addresses.open_subscription(browser), _alert()
    payload = {"title": alert.title, "body": alert.body, "url": "/go"}
    topic = uuid.UUID(alert.message_id).hex
    return web_push.send(push_keys.signer_of(row), subscription, payload, topic=topic)


_TRIALS = {
    KeyPurpose.APP_APNS: _try_apns,
    KeyPurpose.APP_FCM: _try_fcm,
    KeyPurpose.WEB_PUSH: _try_web_push,
}


def _token(own: uuid.UUID) -> str:
    return push_addresses.open_app_token(ClientInstallation.objects.get(pk=own))


def _no_browser() -> str:
    return _(
        "The key is ready. No browser of yours is noted for reminders, so there is nothing to "
        "send a test to; the first one appears when somebody presses “Remind me” on the "
        "registration page."
    )


def _told(answer: Answer, is_own: bool) -> str:
    if answer.verdict is Verdict.ACCEPTED and is_own:
        return _("A test is on its way to your own device. It shows within a minute.")
    if answer.verdict is Verdict.ACCEPTED:
        return _("The service knows us and would take pushes. Nobody was sent anything.")
    texts = {
        Verdict.GONE: _("The service does not know your own device any more (%(answer)s)."),
        Verdict.LATER: _("The service could not be reached just now (%(answer)s). Try again."),
        Verdict.REFUSED: _("The service refuses these credentials (%(answer)s). Upload new ones."),
        Verdict.MISTAKE: _("The service did not take the test (%(answer)s)."),
    }
    return texts[answer.verdict] % {"answer": answer.words}
