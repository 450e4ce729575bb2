"""Lets somebody back in who lost password and second factor."""

from __future__ import annotations

import secrets

from allauth.mfa.models import Authenticator
from django.db import transaction

from accounts.models import User
from accounts.services import users
from core import history
from core.actors import Actor


@transaction.atomic
def readmit(*, user: User, actor: Actor) -> str:
    """Replace the password by a one-time password and remove every second factor.

    Ends all sessions and one-time secrets of the person. Returns the password, which is shown
    once and must be changed at the next sign-in.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    Authenticator.objects.filter(user=user).delete()
    users.end_everything(user)
    history.record(user, "accounts.user.readmitted", actor=actor)
    return password
