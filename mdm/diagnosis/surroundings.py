"""Whether what lies around the server is in place before a real device can enroll."""

from __future__ import annotations

import contextlib
import datetime as dt
import smtplib
import socket
import ssl
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx2
from django.conf import settings
from django.core.mail import get_connection
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from apple.services import push_certificate
from apple.services.push_certificate import PushState, PushStatus
from core import clock
from core.models import NamedLease, Tenant
from mdm import installation
from mdm.beat import LEASE_NAME
from mdm.celery import app
from mdm.checks import REFUSALS, check_mfa, is_loopback
from mdm.diagnosis.findings import Check, Finding, Level

PATIENCE_SECONDS = 5
TLS_WARNING = dt.timedelta(days=14)


def check_settings() -> Finding:
    found = [message for check in REFUSALS for message in check()]
    if found:
        first = found[0]
        return Finding("settings", Level.ERROR, str(first.msg), str(first.hint))
    return Finding("settings", Level.OK, _("Keys and debug setting are safe."))


def check_address() -> Finding:
    enrolled = installation.changed_address()
    if enrolled:
        return Finding(
            "address",
            Level.ERROR,
            _("Devices are enrolled under %(old)s, not under %(new)s.")
            % {"old": enrolled, "new": settings.MUSTER_PUBLIC_URL},
            _("Set MUSTER_PUBLIC_URL back: a device can never be told another address."),
        )
    host = urlsplit(settings.MUSTER_PUBLIC_URL).hostname or ""
    if is_loopback(host):
        return Finding(
            "address",
            Level.WARNING,
            _("%(url)s reaches this machine only: no real device can enroll.")
            % {"url": settings.MUSTER_PUBLIC_URL},
            _("Set MUSTER_PUBLIC_URL to an https address that devices can reach."),
        )
    return Finding(
        "address",
        Level.OK,
        _("Devices use %(url)s.") % {"url": settings.MUSTER_PUBLIC_URL},
    )


def check_tls() -> Finding:
    """Connect as a device does: verify the chain and the name, then ask for /healthz."""
    url = urlsplit(settings.MUSTER_PUBLIC_URL)
    if url.scheme != "https":
        return Finding(
            "tls",
            Level.WARNING,
            _("The address has no TLS; iPhones and Macs enroll over https only."),
            _("Put a proxy with a certificate before the server, as docs/operations.md shows."),
        )
    host, port = url.hostname or "", url.port or 443
    try:
        end = _certificate_end(host, port)
    except ssl.SSLCertVerificationError as error:
        return _tls_error(
            _("The TLS certificate is not trusted: %(reason)s") % {"reason": error.verify_message}
        )
    except OSError as error:
        return _tls_error(
            _("%(host)s:%(port)d does not answer: %(reason)s")
            % {"host": host, "port": port, "reason": error.strerror or type(error).__name__}
        )
    if not _is_this_server():
        return _tls_error(_("Something else than this server answers at the address."))
    days = (end - clock.now()).days
    if end - clock.now() < TLS_WARNING:
        return Finding(
            "tls",
            Level.WARNING,
            _("The TLS certificate ends in %(days)d days.") % {"days": days},
            _("Renew it; devices refuse an ended certificate."),
        )
    return Finding("tls", Level.OK, _("TLS is trusted for %(days)d more days.") % {"days": days})


def _certificate_end(host: str, port: int) -> dt.datetime:
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert() or {}
    seconds = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _is_this_server() -> bool:
    try:
        answer = httpx2.get(f"{settings.MUSTER_PUBLIC_URL}/healthz", timeout=PATIENCE_SECONDS)
    except httpx2.HTTPError:
        return False
    return answer.status_code == 200 and answer.text.strip() == "ok"


def _tls_error(text: str) -> Finding:
    remedy = _("See that name, certificate and proxy are right: devices check all three.")
    return Finding("tls", Level.ERROR, text, remedy)


def check_proxy() -> Finding:
    is_public = not is_loopback(urlsplit(settings.MUSTER_PUBLIC_URL).hostname or "")
    if is_public and not settings.MUSTER_TRUSTED_PROXIES:
        return Finding(
            "proxy",
            Level.WARNING,
            _("No proxy is trusted: everybody seems to come from one address."),
            _("Name the proxy's network in MUSTER_TRUSTED_PROXIES, so that limits are per person."),
        )
    return Finding("proxy", Level.OK, _("Addresses of clients are known."))


def check_push(tenants: Iterable[Tenant] | None = None) -> Finding:
    for tenant in Tenant.objects.all() if tenants is None else tenants:
        finding = _push_finding(push_certificate.status(tenant))
        if finding.level != Level.OK:
            return finding
    return Finding("push", Level.OK, _("The push certificate is valid."))


def _push_finding(status: PushStatus) -> Finding:
    missing = _("Get one under Settings › Push certificate.")
    renew = _("Renew the same certificate under Settings › Push certificate; the topic must stay.")
    texts = {
        PushState.NONE: (Level.WARNING, _("There is no push certificate."), missing),
        PushState.REQUESTED: (
            Level.WARNING,
            _("The push certificate is requested, but not uploaded yet."),
            missing,
        ),
        PushState.PRACTICE: (
            Level.WARNING,
            _("The push certificate is for simulated devices only."),
            missing,
        ),
        PushState.EXPIRED: (Level.ERROR, _("The push certificate has expired."), renew),
        PushState.EXPIRING: (
            Level.WARNING,
            _("The push certificate ends in %(days)s days.") % {"days": status.days_left},
            renew,
        ),
        PushState.PAUSED: (
            Level.ERROR,
            _("Apple refuses the push certificate: %(reason)s") % {"reason": status.paused_reason},
            renew,
        ),
    }
    if status.state in texts:
        level, text, remedy = texts[status.state]
        return Finding("push", level, text, remedy)
    return Finding("push", Level.OK, "")


def check_mail() -> Finding:
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return Finding(
            "mail",
            Level.WARNING,
            _("Mails are written to files, not sent."),
            _("Set EMAIL_URL, for example smtp+tls://user:password@mail.example.com:587"),
        )
    connection = get_connection(timeout=PATIENCE_SECONDS)
    server = {"host": settings.EMAIL_HOST, "port": settings.EMAIL_PORT}
    try:
        connection.open()
    except smtplib.SMTPAuthenticationError:
        return _mail_error(_("The mail server %(host)s:%(port)s refuses the password.") % server)
    except (OSError, smtplib.SMTPException) as error:
        server["reason"] = type(error).__name__
        text = _("The mail server %(host)s:%(port)s cannot be used: %(reason)s") % server
        return _mail_error(text)
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            connection.close()
    return Finding("mail", Level.OK, _("The mail server %(host)s:%(port)s answers.") % server)


def _mail_error(text: str) -> Finding:
    return Finding("mail", Level.ERROR, text, _("Mend EMAIL_URL; invitations wait until then."))


def check_second_factor() -> Finding:
    if check_mfa():
        return Finding(
            "mfa",
            Level.WARNING,
            _("Administrators can sign in with a password alone."),
            _("Remove MUSTER_REQUIRE_ADMIN_MFA from the environment to require it again."),
        )
    return Finding("mfa", Level.OK, _("Administrators need a second factor."))


def check_broker() -> Finding:
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=PATIENCE_SECONDS)
    except (OperationalError, OSError) as error:
        return Finding(
            "broker",
            Level.ERROR,
            _("The broker does not answer: %(error)s") % {"error": type(error).__name__},
            _("Start Redis, and see that REDIS_URL names it rightly."),
        )
    return Finding("broker", Level.OK, _("Workers can be told about work."))


def check_beat() -> Finding:
    if NamedLease.objects.filter(pk=LEASE_NAME, expires_at__gt=clock.now()).exists():
        return Finding("beat", Level.OK, _("Beat is running."))
    return Finding(
        "beat",
        Level.WARNING,
        _("Beat is not running: nothing expires, is reminded or tried again."),
        _("Start the server, or the beat process where each process runs by itself."),
    )


CHECKS: tuple[Check, ...] = (
    check_settings,
    check_address,
    check_tls,
    check_proxy,
    check_push,
    check_mail,
    check_second_factor,
    check_broker,
    check_beat,
)
