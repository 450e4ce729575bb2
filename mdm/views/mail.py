"""Settings, mail: does it work, what waits, what was given up; and the mails of a test server."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import uuid
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access import requires
from accounts.services import mails
from core import ratelimit
from core.errors import DomainError
from core.models import OutboxMessage, OutboxStatus, Tenant
from core.services import delivery, mail

SHOWN = 25
MAX_FILE = 1_048_576


class TooManyTests(DomainError):
    code = "too_many_requests"
    status = 429


@requires("settings.view")
@require_GET
def mail_page(request: HttpRequest) -> HttpResponse:
    rows = OutboxMessage.objects.visible_to(request.user).filter(kind=mail.KIND)
    context = {
        "title": _("Mail"),
        "lead": _("Invitations and notices leave through an outbox; what fails is tried again."),
        **facts(),
        "latest": rows.order_by("-created_at")[:SHOWN],
        "failed": rows.filter(status=OutboxStatus.QUARANTINED).count(),
        "files": _listed() if request.user.has("settings.manage") else [],
    }
    return render(request, "settings/mail.html", context)


def facts() -> dict[str, str]:
    """Sender and server as configured; no server where mails are written to files."""
    server = "" if writes_files() else f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    return {"sender": settings.DEFAULT_FROM_EMAIL, "server": server}


@requires("settings.manage")
@require_POST
def mail_test(request: HttpRequest) -> HttpResponse:
    try:
        send_test(request)
    except TooManyTests as error:
        messages.error(request, error.message)
    return redirect("settings-mail")


def send_test(request: HttpRequest) -> OutboxMessage:
    """Send the person a test mail and say so. Raises TooManyTests."""
    user = request.user
    if not ratelimit.allow("mail_test", str(user.pk), capacity=5, refill_seconds=60):
        raise TooManyTests(_("Wait a minute before the next test mail."))
    message = mails.send_test(user)
    messages.success(request, _("A test mail to %(to)s is on its way.") % {"to": user.email})
    return message


@requires("settings.manage")
@require_POST
def mail_retry(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    message = get_object_or_404(OutboxMessage.objects.visible_to(request.user), pk=pk)
    if delivery.retry_quarantined(message.pk, tenant_id=message.tenant_id):
        messages.success(request, _("The mail is tried again now."))
    else:
        messages.error(request, _("This mail is not waiting for a decision any more."))
    return redirect("settings-mail")


@requires("settings.manage")
@require_GET
def mail_file(request: HttpRequest, name: str) -> HttpResponse:
    """Show a mail that a server without a mail server wrote to its folder."""
    path = next((path for path in mail_files() if path.name == name), None)
    if path is None:
        raise Http404
    message = read_mail(path)
    context = {
        "title": message.get("Subject", name),
        "message": message,
        "text": text_of(message),
        "crumbs": [(reverse("settings-mail"), _("Mail"))],
    }
    return render(request, "settings/mail_file.html", context)


def writes_files() -> bool:
    return settings.EMAIL_BACKEND.endswith("filebased.EmailBackend")


def mail_files() -> list[Path]:
    """Return the written mails, newest first; none when a mail server is configured.

    The folder tells no organisations apart, so with a second one on the server it stays closed.
    """
    if not writes_files() or not Path(settings.MAIL_DIR).is_dir() or Tenant.objects.count() > 1:
        return []
    files = [path for path in Path(settings.MAIL_DIR).glob("*.log") if path.is_file()]
    return sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)


def _listed() -> list[dict[str, Any]]:
    listed = []
    for path in mail_files()[:SHOWN]:
        message = read_mail(path)
        at = dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC)
        subject, to = message.get("Subject", path.name), message.get("To", "")
        listed.append({"name": path.name, "subject": subject, "to": to, "at": at})
    return listed


def read_mail(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        content = file.read(MAX_FILE)
    return email.message_from_bytes(content, policy=email.policy.default)


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    return part.get_content() if part is not None else ""
