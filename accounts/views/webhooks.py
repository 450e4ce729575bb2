"""Portal, settings: webhooks."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import requires
from accounts.forms import WebhookForm
from core.models import OutboxMessage, Webhook
from core.services import webhooks as service
from core.views.actions import attempt, posted

SHOWN = 25


@requires("settings.view")
@require_safe
def webhook_list(request: HttpRequest) -> HttpResponse:
    context = {
        "title": _("Webhooks"),
        "lead": _("Other systems are told what happens, signed, in the order of the history."),
        "webhooks": Webhook.objects.visible_to(request.user),
    }
    return render(request, "settings/webhook_list.html", context)


@requires("settings.view")
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Change a webhook, and see what became of the latest events."""
    hook, user = _find(request, pk), request.user
    is_editable = user.has("settings.manage")
    initial = {"name": hook.name, "url": hook.url, "topics": hook.topics}
    form = WebhookForm(posted(request) if is_editable else None, initial=initial)
    if form.is_valid() and attempt(
        form, service.change, hook=hook, actor=user.actor, **form.cleaned_data
    ):
        messages.success(request, _("Saved."))
        return redirect("settings-webhook", hook.pk)
    if not is_editable:
        for field in form.fields.values():
            field.disabled = True
    sent = OutboxMessage.objects.visible_to(user).filter(kind=service.KIND, about_id=str(hook.pk))
    context = {
        "form": form,
        "hook": hook,
        "is_editable": is_editable,
        "sent": sent.order_by("-created_at")[:SHOWN],
        "title": hook.name,
        "submit_label": _("Save"),
        "crumbs": [(reverse("settings-webhooks"), _("Webhooks"))],
    }
    status = 422 if form.errors else 200
    return render(request, "settings/webhook_detail.html", context, status=status)


@requires("settings.manage")
@reauthentication_required
@require_http_methods(["GET", "POST"])
def webhook_new(request: HttpRequest) -> HttpResponse:
    form, made, user = WebhookForm(posted(request)), {}, request.user

    def create(**fields: Any) -> None:
        made["hook"], made["text"] = service.create(**fields)

    if form.is_valid() and attempt(
        form, create, tenant=user.tenant, actor=user.actor, **form.cleaned_data
    ):
        context = {"title": _("Webhooks"), **made}
        return render(request, "settings/webhook_made.html", context)
    context = {
        "form": form,
        "title": _("Add a webhook"),
        "submit_label": _("Add"),
        "crumbs": [(reverse("settings-webhooks"), _("Webhooks"))],
        "cancel_url": reverse("settings-webhooks"),
    }
    return render(request, "generic/form.html", context, status=422 if form.errors else 200)


@requires("settings.manage")
@require_POST
def webhook_test(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    service.send_test(hook=_find(request, pk), actor=request.user.actor)
    messages.success(request, _("A test event is on its way; see below what comes back."))
    return redirect("settings-webhook", pk)


@requires("settings.manage")
@require_POST
def webhook_resume(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    service.resume(hook=_find(request, pk), actor=request.user.actor)
    messages.success(request, _("The webhook is told again, beginning with what it missed."))
    return redirect("settings-webhook", pk)


@requires("settings.manage")
@require_http_methods(["GET", "POST"])
def webhook_delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    hook, form = _find(request, pk), forms.Form(posted(request))
    if form.is_valid() and attempt(form, service.delete, hook=hook, actor=request.user.actor):
        messages.success(request, _("The webhook is deleted."))
        return redirect("settings-webhooks")
    context = {
        "form": form,
        "title": _("Delete the webhook “%(name)s”?") % {"name": hook.name},
        "consequences": _("The other system hears nothing more, and its secret is gone for good."),
        "submit_label": _("Delete"),
        "is_danger": True,
        "crumbs": [(reverse("settings-webhooks"), _("Webhooks"))],
        "cancel_url": reverse("settings-webhook", args=[hook.pk]),
    }
    return render(request, "settings/terms_confirm.html", context)


def _find(request: HttpRequest, pk: uuid.UUID) -> Webhook:
    return get_object_or_404(Webhook.objects.visible_to(request.user), pk=pk)
