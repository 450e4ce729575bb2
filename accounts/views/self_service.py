"""Self-service: somebody's own name, language and time zone."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.forms import UserForm
from accounts.models import User
from accounts.services import users
from core.views.actions import attempt, posted


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    form = UserForm(posted(request), instance=User.objects.get(pk=request.user.pk))
    if form.is_valid() and attempt(
        form, users.edit, user=request.user, actor=request.user.person_actor, **form.cleaned_data
    ):
        messages.success(request, _("Saved."))
        return redirect("me-account")
    context = {"form": form, "title": _("Account"), "submit_label": _("Save")}
    return render(request, "me/account.html", context, status=422 if form.errors else 200)
