"""Every registration page as a scene: an address, a browser, and the cookie of an attempt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from core import clock
from core.actors import Actor
from core.models import OneTimeSecret, Tenant
from devices.states import DeviceState
from enrollment.models import EnrollmentSession, IssuedProfile, SessionStage, StoppedReason
from enrollment.services import invitations, links, pins, profiles, registration, sessions
from tests import factories
from tests.enrollment.conftest import IPHONE, MAC, WINDOWS

ACTOR = Actor.system("scenes")
IN_APP = IPHONE.replace("Version/18.6 ", "").replace(" Safari/604.1", " [FBAN/FBIOS]")
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Mobile Safari/537.36"
)


@dataclass(frozen=True)
class Scene:
    path: str
    agent: str = IPHONE
    cookie: str = ""


def _invited(tenant: Tenant, *, password: str | None = None, **fields):
    user = factories.user(tenant, password=password, first_name="Pia", last_name="Person", **fields)
    invitation = invitations.invite_user(user=user, actor=ACTOR, sender=tenant.admin)
    return invitation, links.create(invitation).split("/go/")[1]


def _begun(tenant: Tenant, stage: str = "", agent: str = IPHONE, platform: str = "iphone"):
    invitation, token = _invited(tenant, password=factories.PASSWORD if stage else None)
    browser = registration.Browser("203.0.113.9", platform, agent)
    entered = registration.begin(invitation=invitation, browser=browser)
    if stage:
        sessions.record(entered.session, stage, actor=ACTOR)
    entered.session.refresh_from_db()
    return entered.session, Scene(f"/go/{token}", agent, entered.cookie)


def start(tenant: Tenant) -> Scene:
    return Scene(f"/go/{_invited(tenant)[1]}")


def start_mac(tenant: Tenant) -> Scene:
    return Scene(f"/go/{_invited(tenant, password='long enough password')[1]}?device=mac", MAC)


def start_in_app(tenant: Tenant) -> Scene:
    return Scene(f"/go/{_invited(tenant)[1]}", IN_APP)


def start_refused(tenant: Tenant) -> Scene:
    session, scene = _begun(tenant, SessionStage.DOWNLOADED)
    sessions.refuse(session, StoppedReason.DEVICE_LIMIT, actor=ACTOR)
    return scene


def wrong_device(tenant: Tenant) -> Scene:
    return Scene(f"/go/{_invited(tenant)[1]}", WINDOWS)


def wrong_device_sent(tenant: Tenant) -> Scene:
    return Scene(f"/go/{_invited(tenant)[1]}?sent=link&device=other", MAC)


def android(tenant: Tenant) -> Scene:
    return Scene(f"/go/{_invited(tenant)[1]}", ANDROID)


def sign_in(tenant: Tenant) -> Scene:
    return Scene("/go")


def sign_in_sent(tenant: Tenant) -> Scene:
    return Scene("/go?sent=pin")


def pin(tenant: Tenant) -> Scene:
    return _begun(tenant)[1]


def password(tenant: Tenant) -> Scene:
    invitation, token = _invited(tenant, password=factories.PASSWORD)
    entered = registration.begin(
        invitation=invitation, browser=registration.Browser("203.0.113.9", "iphone", IPHONE)
    )
    return Scene(f"/go/{token}", IPHONE, entered.cookie)


def choose_password(tenant: Tenant) -> Scene:
    session, scene = _begun(tenant)
    digits = pins.issue(user=session.user, actor=ACTOR).digits
    browser = registration.Browser("203.0.113.9", "iphone", IPHONE)
    entered = registration.enter_pin(session=session, typed=digits, browser=browser)
    return Scene(scene.path, IPHONE, entered.cookie)


def profile(tenant: Tenant) -> Scene:
    return _begun(tenant, SessionStage.AUTHENTICATED)[1]


def profile_too_old(tenant: Tenant) -> Scene:
    session, scene = _begun(tenant, SessionStage.AUTHENTICATED)
    profiles.issue(session=session, language="en", actor=ACTOR)
    sessions.refuse(session, StoppedReason.CHALLENGE_EXPIRED, actor=ACTOR)
    return scene


def profile_full(tenant: Tenant) -> Scene:
    session, scene = _begun(tenant, SessionStage.AUTHENTICATED)
    for _number in range(10):
        factories.device(tenant, session.user)
    return scene


def _issued(tenant: Tenant, agent: str, platform: str) -> tuple[EnrollmentSession, Scene]:
    session, scene = _begun(tenant, SessionStage.AUTHENTICATED, agent, platform)
    profiles.issue(session=session, language="en", actor=ACTOR)
    return session, scene


def install_iphone(tenant: Tenant) -> Scene:
    return _issued(tenant, IPHONE, "iphone")[1]


def install_mac(tenant: Tenant) -> Scene:
    return _issued(tenant, MAC, "mac")[1]


def install_downloaded(tenant: Tenant) -> Scene:
    session, scene = _issued(tenant, IPHONE, "iphone")
    profiles.download(token=profiles.link_token(profiles.current(session)))
    return scene


def nearly(tenant: Tenant) -> Scene:
    session, scene = _issued(tenant, IPHONE, "iphone")
    device = factories.device(tenant, session.user, state=DeviceState.ENROLLING)
    sessions.record(session, SessionStage.CHECKED_IN, actor=ACTOR, device=device)
    return scene


def done(tenant: Tenant) -> Scene:
    session, scene = _issued(tenant, IPHONE, "iphone")
    device = factories.device(tenant, session.user, name="Pia's iPhone")
    sessions.record(session, SessionStage.ACTIVE, actor=ACTOR, device=device)
    return scene


def expired(tenant: Tenant) -> Scene:
    invitation, token = _invited(tenant)
    past = clock.now() - dt.timedelta(minutes=1)
    type(invitation).objects.filter(pk=invitation.pk).update(expires_at=past)
    return Scene(f"/go/{token}")


def revoked(tenant: Tenant) -> Scene:
    invitation, token = _invited(tenant)
    invitations.revoke(invitation=invitation, actor=ACTOR)
    return Scene(f"/go/{token}")


def unknown(tenant: Tenant) -> Scene:
    return Scene("/go/abcdefghijklmnopqrstuvwxyz")


def too_old(tenant: Tenant) -> Scene:
    session, scene = _issued(tenant, IPHONE, "iphone")
    found: IssuedProfile = profiles.current(session)
    token = profiles.link_token(found)
    OneTimeSecret.objects.filter(pk=found.link_id).update(expires_at=clock.now())
    return Scene(f"/enroll/{token}/profile", IPHONE, scene.cookie)


SCENES: dict[str, Callable[[Tenant], Scene]] = {
    found.__name__: found
    for found in (
        start,
        start_mac,
        start_in_app,
        start_refused,
        wrong_device,
        wrong_device_sent,
        android,
        sign_in,
        sign_in_sent,
        pin,
        password,
        choose_password,
        profile,
        profile_too_old,
        profile_full,
        install_iphone,
        install_mac,
        install_downloaded,
        nearly,
        done,
        expired,
        revoked,
        unknown,
        too_old,
    )
}
