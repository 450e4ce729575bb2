"""What the registration pages say of reminders, and the button that stops them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect

from enrollment.errors import WrongStep
from enrollment.models import SessionStage
from enrollment.services import push_addresses, reminder_choice
from enrollment.views import browser_push
from enrollment.views.visit import Visit


def facts(visit: Visit) -> dict[str, Any]:
    """Return what ``enrollment/_reminders.html`` needs. Two queries where browsers can push."""
    session = visit.session
    if session is None or session.user is None:
        return {}
    push_key = browser_push.offer(visit)
    known = push_addresses.known_browsers(session.user) if push_key else []
    return {
        "push_key": push_key,
        "push_known": " ".join(known),
        "is_reminded": session.is_open and session.remind_at is not None,
        "is_reminding_stopped": session.reminders_stopped_at is not None,
    }


def stop(visit: Visit) -> HttpResponse:
    """Stop the reminders of a confirmed person. Raises WrongStep for anybody else."""
    session = visit.session
    if session is None or session.user is None or not session.is_open:
        raise WrongStep
    if not session.has_reached(SessionStage.AUTHENTICATED):
        raise WrongStep
    reminder_choice.stop(user=session.user, actor=session.user.person_actor)
    return HttpResponseRedirect(visit.request.path)
