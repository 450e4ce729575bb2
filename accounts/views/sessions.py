"""Where somebody is signed in: the same list on both planes, each with its own frame."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from ua_parser import parse

from accounts import planes
from accounts.models import User, UserSession
from accounts.models.session import SessionAudience
from accounts.services import sessions

ALL_OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Row:
    reference: str
    browser: str
    system: str
    place: str
    plane: str
    since: datetime
    used_at: datetime
    is_current: bool


@require_GET
def session_list(request: HttpRequest) -> HttpResponse:
    rows = [_row(session, request) for session in sessions.live(request.user)]
    is_own = planes.is_self_service(request.path_info)
    template = "me/session_list.html" if is_own else "account/session_list.html"
    context = {"title": _("Where you are signed in"), "rows": rows, "others": len(rows) > 1}
    return render(request, template, context)


@require_POST
def session_end(request: HttpRequest) -> HttpResponse:
    """End the session that the form names, or all but the one that asks."""
    user: User = request.user
    wanted, actor = request.POST.get("session", "")[:64], planes.actor_of(request)
    if wanted == ALL_OTHERS:
        ended = sessions.end_others(user=user, but=request.session.session_key, actor=actor)
        words = ngettext("%(n)d other session is ended.", "%(n)d other sessions are ended.", ended)
        messages.success(request, words % {"n": ended})
    elif sessions.end(user=user, reference_of=wanted, actor=actor):
        messages.success(request, _("The session is ended. That browser must sign in again."))
    else:
        messages.error(request, _("This session had ended already."))
    return redirect("account_sessions")


def _row(session: UserSession, request: HttpRequest) -> Row:
    browser, system = _named(session.user_agent)
    is_portal = session.audience == SessionAudience.PORTAL
    return Row(
        reference=sessions.reference(session),
        browser=browser or _("Unknown browser"),
        system=system,
        place=session.ip or "–",
        plane=_("Administration") if is_portal else _("My devices"),
        since=session.created_at,
        used_at=session.last_seen_at,
        is_current=session.session_key == request.session.session_key,
    )


@lru_cache(maxsize=512)
def _named(user_agent: str) -> tuple[str, str]:
    found = parse(user_agent)
    return (
        found.user_agent.family if found.user_agent else "",
        found.os.family if found.os else "",
    )
