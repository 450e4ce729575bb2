"""One request to the registration pages: whose link, which attempt, what device, which language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from accounts import known_devices
from accounts.models import UserSettings
from accounts.services import tenants
from core import net
from core.models import Tenant
from enrollment import detection, schedule
from enrollment.models import EnrollmentSession, Invitation
from enrollment.services import links, registration

COOKIE_SECONDS = 24 * 3600


@dataclass
class Visit:
    """`link` is None on the plain page. `session` is the attempt that the cookie proves, if it
    belongs to the person of the link."""

    request: HttpRequest
    tenant: Tenant
    token: str
    link: links.Link | None
    session: EnrollmentSession | None
    detected: detection.Detected

    @property
    def invitation(self) -> Invitation | None:
        return self.link.invitation if self.link else None

    @property
    def is_gone(self) -> bool:
        """Say whether the link leads nowhere, for a browser that has no attempt under way."""
        return self.link is not None and self.link.state != "live" and self.session is None

    @property
    def policy(self) -> UserSettings:
        return UserSettings.objects.get(tenant=self.tenant, is_default=True)

    @property
    def browser(self) -> registration.Browser:
        request = self.request
        return registration.Browser(
            ip=net.client_ip(request),
            platform=self.detected.platform,
            user_agent=_printable(request.headers.get("User-Agent", "")),
            language=translation.get_language() or "",
            known=known_devices.read(request),
        )


def _printable(text: str) -> str:
    """What a browser says is stored and shown: nothing that a database or a page chokes on."""
    return "".join(char for char in text[:300] if char.isprintable())


def open_visit(request: HttpRequest, token: str, *, tenant: Tenant | None = None) -> Visit | None:
    """Read a request; None when no organisation answers at this address.

    `tenant` is given where something other than a link says whose page it is.
    """
    link = links.look_up(token) if token else None
    if tenant is not None:
        pass
    elif link is not None and link.invitation is not None:
        tenant = link.invitation.tenant
    else:
        tenant = tenants.for_host(request.get_host())
    if tenant is None:
        return None
    session = registration.by_cookie(request.COOKIES.get(settings.GO_COOKIE_NAME, ""), tenant)
    if session is not None and not _is_of(session, link):
        session = None
    return Visit(request, tenant, token, link, session, _detect(request, session))


def _is_of(session: EnrollmentSession, link: links.Link | None) -> bool:
    """A cookie of somebody else's attempt is worthless on this link."""
    if link is None:
        return True
    if link.invitation is None or session.user_id != link.invitation.user_id:
        return False
    return link.state == "live" or (link.state == "expired" and session.is_open)


def _detect(request: HttpRequest, session: EnrollmentSession | None) -> detection.Detected:
    values = request.POST if request.method == "POST" else request.GET
    chosen = values.get("device", "")
    if not chosen and session is not None and session.is_open:
        chosen = session.platform
    if chosen == detection.OTHER:
        return detection.Detected(detection.OTHER)
    touch = request.POST.get("touch", "")[:4]
    return detection.detect(request.headers, touch_points=touch, chosen=chosen)


@contextmanager
def speaking(visit: Visit) -> Iterator[str]:
    """Speak the language of the visit, in the time zone of its person; yields the language."""
    language = choose_language(visit, visit.request)
    user = visit.session.user if visit.session else None
    zone = schedule.zone_of(user.time_zone if user else "", visit.tenant.time_zone)
    with translation.override(language), timezone.override(zone):
        yield language


def choose_language(visit: Visit | None, request: HttpRequest) -> str:
    """Return the picked language, the browser's, the person's or the organisation's, in order."""
    picked = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    wanted = [picked, *_accepted(request)]
    if visit is not None:
        user = visit.session.user if visit.session else None
        wanted += [user.language if user else "", visit.tenant.language]
    known = dict(settings.LANGUAGES)
    found = (code.lower().partition("-")[0] for code in wanted)
    return next((code for code in found if code in known), settings.LANGUAGE_CODE)


def _accepted(request: HttpRequest) -> list[str]:
    header = request.headers.get("Accept-Language", "")[:500]
    return [code for code, _weight in translation.trans_real.parse_accept_lang_header(header)]


def keep_cookie(response: HttpResponse, cookie: str) -> None:
    response.set_cookie(
        settings.GO_COOKIE_NAME,
        cookie,
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(response: HttpResponse) -> None:
    response.delete_cookie(settings.GO_COOKIE_NAME, samesite="Lax")
