"""Portal: end all registration links at once, and send new ones to those who wait."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import requires
from core.models import Tenant
from core.views.actions import attempt, posted
from enrollment.forms import RevokeForm
from enrollment.services import invitations, links


@requires("settings.view")
@require_safe
def link_settings(request: HttpRequest) -> HttpResponse:
    tenant = Tenant.objects.get(pk=request.user.tenant_id)
    context = {
        "title": _("Registration links"),
        "lead": _("When links may have fallen into wrong hands, end all of them at once."),
        "voided_at": tenant.links_voided_at,
        "waiting": invitations.outdated(tenant).count(),
        "most": invitations.MAX_AT_ONCE,
        "address": links.url_of(request.user.tenant),
    }
    return render(request, "settings/links.html", context)


@requires("settings.manage")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def links_renew(request: HttpRequest) -> HttpResponse:
    user, form = request.user, RevokeForm(posted(request))
    if form.is_valid() and attempt(
        form, links.void_all, tenant=user.tenant, actor=user.actor, **form.cleaned_data
    ):
        messages.success(request, _("All earlier links and codes are dead."))
        return redirect("invitations:link-settings")
    context = {
        "form": form,
        "title": _("End all registration links?"),
        "submit_label": _("End all links"),
        "is_danger": True,
        "crumbs": [(reverse("invitations:link-settings"), _("Registration links"))],
        "cancel_url": reverse("invitations:link-settings"),
    }
    status = 422 if form.errors else 200
    return render(request, "settings/links_renew.html", context, status=status)


@requires("invitations.send")
@require_POST
def links_resend(request: HttpRequest) -> HttpResponse:
    """Send the next open invitations whose links are dead again."""
    user = request.user
    count = invitations.resend_outdated(tenant=user.tenant, actor=user.actor, sender=user)
    text = ngettext(
        "%(count)d invitation is on its way again.",
        "%(count)d invitations are on their way again.",
        count,
    )
    messages.success(request, text % {"count": count})
    where = "invitations:link-settings" if user.has("settings.view") else "home"
    return redirect(where)
