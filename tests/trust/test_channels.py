"""S-117: a service that cannot prove who it is gets no reminder, and none is lost."""

from __future__ import annotations

import ipaddress

import pytest

from core.models import OutboxMessage, OutboxStatus
from core.services import delivery
from enrollment.models import AppPush, EnrollmentSession, Notice, NoticeStatus
from enrollment.services import push_addresses, push_keys, reminders
from enrollment.services.registration import Browser, enter_confirmed
from tests import factories
from tests.enrollment.push_world import (
    ACTOR,
    account,
    app,
    at_noon,
    developer_key,
    install_apns,
    install_fcm,
)
from tests.fakes.apns import FakeAPNs
from tests.fakes.certificates import Authority
from tests.fakes.fcm import FakeFcm
from tests.fakes.web_push import FakeWebPush

pytestmark = pytest.mark.django_db
FAULTS = ("expired", "another name", "unknown authority", "none")
MESSAGES = {"apns": "push.app_apns", "fcm": "push.app_fcm", "web": "push.web"}


@pytest.fixture
def attempt(tenant):
    user = factories.user(tenant)
    session = enter_confirmed(user=user, browser=Browser("203.0.113.9", "iphone")).session
    at_noon(user)
    return session


def proof(authority: Authority, fault: str) -> dict:
    """What a service shows: `none` is no fault at all."""
    if fault == "unknown authority":
        return {"authority": Authority("Elsewhere")}
    host = ("elsewhere.test",) if fault == "another name" else ()
    issued = authority.server(*host, is_expired=fault == "expired")
    return {"authority": authority, "certificate": issued}


def apns(session, authority, fault, settings):
    service = FakeAPNs(**proof(authority, fault))
    with service:
        settings.MUSTER_APNS_URL = service.url
        service.trust_key(developer_key())
        install_apns(session.tenant)
        app(session.user, AppPush.APNS)
        yield lambda: service.pushes


def fcm(session, authority, fault, settings):
    with FakeFcm(**proof(authority, fault)) as service:
        settings.MUSTER_FCM_URL, settings.MUSTER_FCM_TOKEN_URL = service.url, service.token_url
        service.trust(account())
        install_fcm(session.tenant)
        app(session.user, AppPush.FCM)
        yield lambda: service.tokens_given + service.sent


def web(session, authority, fault, settings):
    with FakeWebPush(**proof(authority, fault)) as service:
        row = push_keys.make_web_push(tenant=session.tenant, actor=ACTOR)
        browser = service.subscribe(push_keys.signer_of(row).public)
        push_addresses.subscribe(
            session=session,
            user=session.user,
            document=browser.subscription,
            language="en",
            actor=ACTOR,
        )
        yield lambda: [service.requests] if service.requests else []


@pytest.mark.parametrize("channel", [apns, fcm, web], ids=lambda channel: channel.__name__)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_service_gets_a_reminder_only_with_a_right_certificate(
    attempt, authority, settings, tmp_path, channel, fault
):
    trusted = str(authority.write(tmp_path))
    settings.MUSTER_APNS_CA_FILE = settings.MUSTER_FCM_CA_FILE = trusted
    settings.MUSTER_WEB_PUSH_CA_FILE = trusted
    loopback = ("127.0.0.0/8", "::1/128")
    settings.MUSTER_EGRESS_NETWORKS = [ipaddress.ip_network(text) for text in loopback]
    for reached in channel(attempt, authority, fault, settings):
        EnrollmentSession.objects.update(remind_at=attempt.created_at)
        assert reminders.sweep() == 1
        while delivery.sweep():
            pass
        message = OutboxMessage.objects.get(kind=MESSAGES[channel.__name__])
        notice = Notice.objects.get(message=message)
        if fault == "none":
            assert reached()
            assert notice.status == NoticeStatus.SENT
            continue
        assert reached() == []
        assert (message.status, notice.status) == (OutboxStatus.PENDING, NoticeStatus.QUEUED)
        assert bytes(message.sealed_body), "it is kept for the right service"
        assert "server_untrusted" in message.last_error
