"""Portal, settings: the push certificate from the signing request to its renewal."""

from __future__ import annotations

import uuid

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import requires
from apple import words
from apple.forms import PushCertificateForm
from apple.services import push_certificate, push_health, push_store, push_vendor
from core import ratelimit
from core.models import KeyPurpose, StoredKey
from core.views.actions import attempt, posted

PAGE = "settings-push"


@requires("settings.view")
@require_GET
def push_page(request: HttpRequest) -> HttpResponse:
    tenant = request.user.tenant
    status = push_certificate.status(tenant)
    context = {
        "title": _("Push certificate"),
        "lead": _("The certificate with which this server wakes iPhones, iPads and Macs."),
        "status": status,
        "notice": words.notice(status),
        "others": push_store.certificates(tenant.pk)[1:],
        "has_vendor": push_vendor.is_configured(),
    }
    return render(request, "apple/push.html", context)


@requires("settings.manage")
@require_POST
def push_request(request: HttpRequest) -> HttpResponse:
    user = request.user
    if not ratelimit.allow("push_request", str(user.pk), capacity=10, refill_seconds=3600):
        messages.error(request, _("Use the signing request that is out already, or wait an hour."))
        return redirect(PAGE)
    push_certificate.request(tenant=user.tenant, actor=user.actor)
    messages.success(request, _("The signing request is made. Download it below."))
    return redirect(PAGE)


@requires("settings.manage")
@require_GET
def push_request_file(request: HttpRequest, pk: uuid.UUID, kind: str) -> HttpResponse:
    """Download a signing request: as it is, or countersigned for Apple's portal."""
    rows = StoredKey.objects.filter(tenant_id=request.user.tenant_id, purpose=KeyPurpose.APNS_PUSH)
    row = get_object_or_404(rows.filter(sha256=""), pk=pk)
    if kind not in ("csr", "apple"):
        raise Http404
    if kind == "csr":
        return _download(str(row.data["csr"]).encode(), "push-request.csr")
    if not push_vendor.is_configured():
        messages.error(request, _("No vendor certificate is configured on this server."))
        return redirect(PAGE)
    try:
        return _download(push_vendor.countersign(row), "push-request.plist")
    except ImproperlyConfigured as error:
        messages.error(request, str(error))
        return redirect(PAGE)


@requires("settings.manage")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def push_upload(request: HttpRequest) -> HttpResponse:
    form = PushCertificateForm(posted(request), request.FILES or None)
    user = request.user
    if form.is_valid() and attempt(
        form,
        push_certificate.upload,
        tenant=user.tenant,
        content=form.cleaned_data["content"],
        confirmation=form.cleaned_data["confirmation"],
        actor=user.actor,
    ):
        messages.success(request, _("The push certificate is installed."))
        return redirect(PAGE)
    if form.is_bound and "confirmation" in form.errors:
        form.ask_for_confirmation()
    context = {
        "form": form,
        "title": _("Install a push certificate"),
        "submit_label": _("Install"),
        "crumbs": [(reverse(PAGE), _("Push certificate"))],
        "cancel_url": reverse(PAGE),
        "is_multipart": True,
    }
    return render(request, "generic/form.html", context, status=422 if form.errors else 200)


@requires("settings.manage")
@require_POST
def push_resume(request: HttpRequest) -> HttpResponse:
    """Try again after Apple refused the certificate."""
    row = push_certificate.status(request.user.tenant).row
    if row is not None and row.data.get("paused"):
        push_health.resume(row=row, actor=request.user.actor)
        messages.success(request, _("What waited is pushed now. See below what Apple says."))
    return redirect(PAGE)


def _download(content: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="application/octet-stream", headers=headers)
