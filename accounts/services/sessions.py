"""Where a person is signed in, and the end of it."""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User, UserSession
from core import clock, history
from core.actors import Actor


def live(user: User) -> QuerySet[UserSession]:
    """Return where a person is signed in now, on both planes, last used first."""
    return user.sessions.filter(expire_date__gt=clock.now()).order_by("-last_seen_at")


def reference(session: UserSession) -> str:
    """Return what a page may call a session: its key is a credential and is never shown."""
    return hashlib.sha256(session.session_key.encode()).hexdigest()[:32]


@transaction.atomic
def end(*, user: User, reference_of: str, actor: Actor) -> bool:
    """End one session of a person; False when there is none of this reference (any more)."""
    found = next((row for row in live(user) if reference(row) == reference_of), None)
    if found is None:
        return False
    found.delete()
    history.record(user, "accounts.session.ended", actor=actor, data={"sessions": 1})
    return True


@transaction.atomic
def end_others(*, user: User, but: str | None, actor: Actor) -> int:
    """End every session of a person except the one whose key is `but`; returns how many."""
    ended, _rows = live(user).exclude(session_key=but or "").delete()
    if ended:
        history.record(user, "accounts.session.ended", actor=actor, data={"sessions": ended})
    return ended


def end_all(user: User, *, but: str | None = None) -> int:
    """End sessions as a part of another change, which is what the history tells."""
    ended, _rows = user.sessions.exclude(session_key=but or "").delete()
    return ended


def forget_expired() -> int:
    """Delete the rows of sessions that are over; returns how many."""
    ended, _rows = UserSession.objects.filter(expire_date__lte=clock.now()).delete()
    return ended
