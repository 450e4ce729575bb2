"""Reminds a person on every channel that reaches them, and hands pushes to their services.

One reminder is one transaction: the mail, the pushes and their rows in the ledger exist together
or not at all, and once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from core import clock, outbox
from core.models import KeyPurpose, OutboxMessage, StoredKey
from enrollment import channels, schedule
from enrollment.gateways import app_apns, fcm, web_push
from enrollment.gateways.exchange import Alert, Answer, Verdict
from enrollment.models import (
    AppPush,
    BrowserSubscription,
    ClientInstallation,
    EnrollmentSession,
    Invitation,
    Notice,
    NoticeChannel,
    NoticeStatus,
    SessionOutcome,
)
from enrollment.services import ledger, letters, push_addresses, push_keys

APP_APNS, APP_FCM, WEB_PUSH = "push.app_apns", "push.app_fcm", "push.web"
BUSY_SECONDS = 120
REFUSED_SECONDS = 900


def remind(
    *,
    user: User,
    invitation: Invitation | None,
    key: str,
    number: int,
    session: EnrollmentSession | None = None,
    is_pin_wanted: bool,
) -> None:
    """Queue reminder `number` of an attempt, or of an invitation that nobody opened.

    `key` names it: a second call with the same one does nothing.
    """
    targets = channels.pushed(user)

    def note(mail: OutboxMessage) -> None:
        facts = {"user": user, "session": session, "invitation": invitation, "number": number}
        _note(mail, NoticeChannel.MAIL, user.email, key, facts)
        for target in targets:
            own = f"{key}:{target.id}"
            message = outbox.enqueue(
                tenant=user.tenant,
                kind=target.kind,
                body={"target": str(target.id), "is_unopened": session is None},
                recipient=target.label,
                about=invitation,
                key=own,
            )
            _note(message, target.channel, target.label, own, facts)

    letters.send(
        user,
        invitation,
        "reminder",
        key=key,
        is_pin_wanted=is_pin_wanted,
        then=note,
        session=session,
        is_unopened=session is None,
    )


def _note(
    message: OutboxMessage, channel: str, recipient: str, key: str, facts: dict[str, Any]
) -> None:
    Notice.objects.create(
        tenant_id=message.tenant_id,
        message=message,
        channel=channel,
        recipient=recipient[:254],
        key=f"{channel}:{key}"[:160],
        **facts,
    )


def push_apns(message: OutboxMessage, body: dict[str, Any]) -> None:
    """Hand one reminder to Apple's service, if it is still wanted."""
    _push_app(
        message,
        body,
        AppPush.APNS,
        KeyPurpose.APP_APNS,
        lambda row, token, alert: app_apns.send(push_keys.apns_of(row), token, alert),
    )


def push_fcm(message: OutboxMessage, body: dict[str, Any]) -> None:
    """Hand one reminder to Firebase, if it is still wanted."""
    _push_app(
        message,
        body,
        AppPush.FCM,
        KeyPurpose.APP_FCM,
        lambda row, token, alert: fcm.send(push_keys.fcm_of(row), token, alert),
    )


def push_web(message: OutboxMessage, body: dict[str, Any]) -> None:
    """Hand one reminder to the push service of a browser, if it is still wanted."""
    notice = _wanted(message)
    if notice is None:
        return
    browser = BrowserSubscription.objects.filter(pk=body["target"], broken_reason="").first()
    if browser is None:
        raise outbox.Undeliverable("no browser any more")
    row = _credential(message, KeyPurpose.WEB_PUSH)
    title, text = words(notice, is_unopened=body["is_unopened"], language=browser.language)
    payload = {"title": title, "body": text, "url": "/go"}
    subscription = push_addresses.open_subscription(browser)
    answer = web_push.send(push_keys.signer_of(row), subscription, payload, topic=message.pk.hex)
    if answer.verdict is Verdict.GONE:
        push_addresses.mark_browser_broken(browser, answer.words)
    _conclude(message, row, answer)


def _push_app(
    message: OutboxMessage,
    body: dict[str, Any],
    push_kind: str,
    purpose: str,
    send: Callable[[StoredKey, str, Alert], Answer],
) -> None:
    notice = _wanted(message)
    if notice is None:
        return
    app = ClientInstallation.objects.filter(
        pk=body["target"], push_kind=push_kind, ended_at=None, push_broken_reason=""
    ).first()
    if app is None:
        raise outbox.Undeliverable("no app any more")
    row = _credential(message, purpose)
    title, text = words(notice, is_unopened=body["is_unopened"])
    token = push_addresses.open_app_token(app)
    answer = send(row, token, Alert(title, text, str(message.pk)))
    if answer.verdict is Verdict.GONE:
        push_addresses.mark_app_broken(app, answer.words)
    _conclude(message, row, answer)


def _wanted(message: OutboxMessage) -> Notice | None:
    """Return the reminder if it still makes sense: it may have waited for hours.

    Raises RetryLater in the night.
    """
    notice = (
        Notice.objects.filter(message_id=message.pk, status=NoticeStatus.QUEUED)
        .select_related("user__tenant", "session", "invitation", "tenant")
        .first()
    )
    if notice is None:
        return None
    if not _is_unfinished(notice):
        Notice.objects.filter(pk=notice.pk, status=NoticeStatus.QUEUED).update(
            status=NoticeStatus.CANCELLED, finished_at=clock.now()
        )
        return None
    now = clock.now()
    zone = schedule.zone_of(notice.user.time_zone, notice.tenant.time_zone)
    if not schedule.is_polite(now, zone):
        wait = schedule.polite(now, zone) - now
        raise outbox.RetryLater(int(wait.total_seconds()) + 1, "quiet hours")
    return notice


def _is_unfinished(notice: Notice) -> bool:
    if not notice.user.is_active:
        return False
    if notice.session is not None:
        is_unfinished = notice.session.outcome in (SessionOutcome.OPEN, SessionOutcome.EXPIRED)
        return is_unfinished and notice.session.reminders_stopped_at is None
    return notice.invitation is not None and notice.invitation.is_open


def _credential(message: OutboxMessage, purpose: str) -> StoredKey:
    row = push_keys.find(message.tenant_id, purpose)
    if row is None:
        raise outbox.Undeliverable("the key of this channel was removed")
    return row


def words(notice: Notice, *, is_unopened: bool, language: str = "") -> tuple[str, str]:
    """Return title and text in the person's language. Nothing in them is a secret: whoever holds
    the device may read them on its lock screen."""
    user, session = notice.user, notice.session
    language = user.language or (session.language if session else "") or language
    known = dict(settings.LANGUAGES)
    with translation.override(language if language in known else user.tenant.language):
        facts = {"organisation": user.tenant.name}
        if is_unopened:
            return (
                _("Register your device"),
                _("%(organisation)s invited you and is still waiting for your device.") % facts,
            )
        return (
            _("Nearly there"),
            _("You began to register your device with %(organisation)s. Go on where you stopped.")
            % facts,
        )


def _conclude(message: OutboxMessage, row: StoredKey, answer: Answer) -> None:
    """Write what came back. Raises RetryLater or Undeliverable for the outbox."""
    if answer.verdict is Verdict.ACCEPTED:
        push_keys.note_trouble(row, "")
        ledger.note_sent(message, answer.words)
    elif answer.verdict is Verdict.REFUSED:
        push_keys.note_trouble(row, answer.words)
        raise outbox.RetryLater(max(answer.retry_after or 0, REFUSED_SECONDS), answer.words)
    elif answer.verdict is Verdict.LATER:
        seconds = BUSY_SECONDS * 2 ** (message.attempts - 1)
        raise outbox.RetryLater(max(answer.retry_after or 0, seconds), answer.words)
    else:
        raise outbox.Undeliverable(answer.words)


def register() -> None:
    """Tell the outbox who delivers pushes; called in `AppConfig.ready()`."""
    for kind, handler in ((APP_APNS, push_apns), (APP_FCM, push_fcm), (WEB_PUSH, push_web)):
        outbox.register(kind, handler, on_failure=ledger.note_failed)
