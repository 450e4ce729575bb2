"""Makes a PIN that somebody of the help desk hands over in person or by phone, without a mail."""

from __future__ import annotations

from django.db import transaction

from accounts.access import Principal
from accounts.models import User
from core import history
from enrollment.errors import PersonDisabled, PinNotYours
from enrollment.services import pins
from enrollment.services.pins import IssuedPin


def make(*, user: User, principal: Principal) -> IssuedPin:
    """Give a person a new PIN and return it for one look; it is kept nowhere.

    The PIN could choose the first password of its person, so nobody makes one for somebody who
    may do what they may not. Raises PinNotYours, PersonDisabled. About eight queries.
    """
    if not user.is_active:
        raise PersonDisabled
    if not all(principal.has(name) for name in user.permissions):
        raise PinNotYours
    # The slow hash is computed before the transaction: SQLite has one writer at a time.
    drawn = pins.draw(user)
    with transaction.atomic():
        issued = pins.issue(user=user, actor=principal.actor, drawn=drawn)
        history.record(user, "enrollment.pin.revealed", actor=principal.actor)
    return issued
