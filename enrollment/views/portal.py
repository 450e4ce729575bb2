"""Portal: invitations with their funnel, and the enrollments that came of them."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import requires
from accounts.models import User, UserSettings
from core.errors import DomainError
from core.views.actions import attempt, posted
from core.views.lists import list_page
from enrollment import funnel, ledger_page
from enrollment.filters import InvitationFilterSet, SessionFilterSet, since
from enrollment.forms import InviteForm, RevokeForm
from enrollment.models import EnrollmentSession, Invitation
from enrollment.services import invitations, preview
from enrollment.services.invitations import MAX_AT_ONCE
from enrollment.services.preview import PreviewedMail
from enrollment.states import SessionStage
from enrollment.tables import InvitationTable, SessionTable

FUNNEL_DAYS = "30"


def find(request: HttpRequest, pk: uuid.UUID) -> Invitation:
    """Return an invitation that the person may see, or raise Http404."""
    rows = Invitation.objects.visible_to(request.user).select_related("user", "tenant")
    return get_object_or_404(rows, pk=pk)


def page_of(invitation: Invitation) -> str:
    return reverse("invitations:invitation-detail", args=[invitation.pk])


@requires("invitations.view")
@require_GET
def invitation_list(request: HttpRequest) -> HttpResponse:
    rows = Invitation.objects.visible_to(request.user).select_related("user")
    return list_page(
        request,
        template="invitations/invitation_list.html",
        filters=InvitationFilterSet(request.GET, queryset=rows, request=request),
        table_class=InvitationTable,
        title=_("Invitations"),
        funnel=_funnel(request),
    )


def _funnel(request: HttpRequest) -> dict[str, Any]:
    """Return the funnel of the period that the list shows, as bars whose numbers are links."""
    days = request.GET.get("sent") if request.GET.get("sent") in ("7", "30", "90") else FUNNEL_DAYS
    rows = Invitation.objects.visible_to(request.user).filter(created_at__gte=since(days))
    counts, page = funnel.totals(rows), reverse("invitations:invitation-list")
    bars = [{"label": _("Invitation sent"), "stage": "", "value": counts["sent"]}]
    bars += [
        {"label": SessionStage(stage).label, "stage": stage, "value": counts[stage]}
        for stage in funnel.MILESTONES
    ]
    for bar in bars:
        tone = "good" if bar["stage"] == SessionStage.ACTIVE else "progress"
        bar["segments"] = [(bar["value"], tone)]
        reached = f"&reached={bar['stage']}" if bar["stage"] else ""
        bar["url"] = f"{page}?sent={days}{reached}"
        share = round(100 * bar["value"] / counts["sent"]) if counts["sent"] else 0
        bar["note"] = _("%(share)d %%") % {"share": share}
    return {"rows": bars, "total": counts["sent"], "days": int(days)}


@requires("invitations.view")
@require_GET
def session_list(request: HttpRequest) -> HttpResponse:
    rows = EnrollmentSession.objects.visible_to(request.user).filter(user__isnull=False)
    return list_page(
        request,
        template="invitations/session_list.html",
        filters=SessionFilterSet(
            request.GET,
            queryset=rows.select_related("user", "device", "invitation"),
            request=request,
        ),
        table_class=SessionTable,
        title=_("Enrollments"),
        lead=_("Every attempt to enroll a device: how far it came, and why it stopped."),
    )


@requires("invitations.view")
@require_GET
def invitation_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    invitation = find(request, pk)
    sessions = invitation.sessions.select_related("device").order_by("-opened_at")[:20]
    context = {
        "invitation": invitation,
        "attempts": [{"session": one, "steps": funnel.steps(one)} for one in sessions],
        **ledger_page.of_invitation(invitation),
        "title": invitation.user.name,
        "crumbs": [(reverse("invitations:invitation-list"), _("Invitations"))],
    }
    return render(request, "invitations/invitation_detail.html", context)


@requires("invitations.send")
@require_http_methods(["GET", "POST"])
def invitation_new(request: HttpRequest) -> HttpResponse:
    policy = UserSettings.objects.for_user(request.user)
    initial = {"emails": _chosen(request)}
    form, mail = InviteForm(posted(request), policy=policy, initial=initial), None
    if form.is_valid():
        if "preview" in request.POST:
            mail = preview_of(request, form, policy)
        elif invite(request, form):
            return redirect("invitations:invitation-list")
    context = {"form": form, "policy": policy, "mail": mail, "title": _("Invite people")}
    status = 422 if form.errors else 200
    return render(request, "invitations/invitation_new.html", context, status=status)


def _chosen(request: HttpRequest) -> str:
    """Return the addresses to begin with: one, or those of the people who were selected."""
    keys = [key for key in map(_key, request.GET.getlist("person")[:MAX_AT_ONCE]) if key]
    chosen = User.objects.visible_to(request.user).active().filter(pk__in=keys)
    found = list(chosen.order_by("email").values_list("email", flat=True))
    left_out = len(set(keys)) - len(found)
    if left_out and request.method == "GET":
        text = ngettext(
            "%(count)d selected person is disabled and was left out.",
            "%(count)d selected people are disabled and were left out.",
            left_out,
        )
        messages.warning(request, text % {"count": left_out})
    return "\n".join(found) or request.GET.get("email", "")[:254]


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def preview_of(request: HttpRequest, form: InviteForm, policy: UserSettings) -> PreviewedMail:
    return preview.invitation_mail(
        sender=request.user,
        policy=policy,
        email=form.cleaned_data["emails"][0],
        language=form.cleaned_data["language"],
    )


def invite(request: HttpRequest, form: InviteForm) -> bool:
    """Invite whom a form names; False when the service refuses, which the form then shows."""
    user = request.user
    is_done = attempt(
        form,
        invitations.invite,
        tenant=user.tenant,
        actor=user.actor,
        sender=user,
        **form.arguments,
    )
    if is_done:
        count = len(set(form.cleaned_data["emails"]))
        text = ngettext("%(count)d person is invited.", "%(count)d people are invited.", count)
        messages.success(request, text % {"count": count})
    return is_done


@requires("invitations.send")
@require_POST
def invitation_resend(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    invitation = find(request, pk)
    try:
        invitation = invitations.resend(
            invitation=invitation, actor=request.user.actor, sender=request.user
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The mail is on its way again. Earlier links go on working."))
    return redirect(page_of(invitation))


@requires("invitations.send")
@require_POST
def invitation_link(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a link to hand over by other means, once."""
    invitation, link, error = find(request, pk), "", ""
    try:
        link = invitations.share_link(invitation=invitation, actor=request.user.actor)
    except DomainError as refusal:
        error = refusal.message
    context = {
        "invitation": invitation,
        "link": link,
        "error": error,
        "title": _("Link for %(name)s") % {"name": invitation.user.name},
        "crumbs": _crumbs(invitation),
    }
    return render(request, "invitations/invitation_link.html", context)


@requires("invitations.revoke")
@require_http_methods(["GET", "POST"])
def invitation_revoke(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    invitation, form = find(request, pk), RevokeForm(posted(request))
    if form.is_valid() and attempt(
        form,
        invitations.revoke,
        invitation=invitation,
        actor=request.user.actor,
        **form.cleaned_data,
    ):
        messages.success(request, _("The invitation is revoked: its links and PINs are void."))
        return redirect(page_of(invitation))
    context = {
        "form": form,
        "title": _("Revoke the invitation of %(name)s?") % {"name": invitation.user.name},
        "submit_label": _("Revoke"),
        "is_danger": True,
        "crumbs": _crumbs(invitation),
        "cancel_url": page_of(invitation),
    }
    status = 422 if form.errors else 200
    return render(request, "invitations/invitation_revoke.html", context, status=status)


def _crumbs(invitation: Invitation) -> list[tuple[str, str]]:
    return [
        (reverse("invitations:invitation-list"), _("Invitations")),
        (page_of(invitation), invitation.user.name),
    ]
