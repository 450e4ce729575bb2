"""Mails that people ask for on the registration pages, as often as is good for everybody."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User, UserSettings
from core import history
from core.actors import Actor
from core.models import Tenant
from enrollment import addresses
from enrollment.errors import PinRequestsOff
from enrollment.models import Invitation
from enrollment.services import letters, limits


def pin_for_person(*, user: User, ip: str) -> None:
    """Ask for a new PIN for the person of an attempt.

    Raises PinRequestsOff, RequestedTooOften, TooManyTries.
    """
    if not UserSettings.objects.for_user(user).may_request_pin:
        raise PinRequestsOff
    limits.take_network_mail(user.tenant, ip)
    limits.take_mail(user.tenant, user.email)
    with transaction.atomic():
        actor = Actor("person", str(user.pk), user.email, ip)
        history.record(user, "enrollment.pin.requested", actor=actor)
        letters.queue_pin(user.tenant, user.email)


def pin_for_address(*, tenant: Tenant, email: str, ip: str) -> None:
    """Ask for a new PIN from the open page: the same queries and answer for every address.

    Somebody who asks too often for one address is told nothing, and gets no further mail.
    Raises PinRequestsOff, TooManyTries.
    """
    if not UserSettings.objects.get(tenant=tenant, is_default=True).may_request_pin:
        raise PinRequestsOff
    limits.take_network_mail(tenant, ip)
    address = addresses.comparable(email)
    if limits.may_mail(tenant, address):
        letters.queue_pin(tenant, address)


def link_for(*, user: User, invitation: Invitation | None) -> None:
    """Ask for a mail with the link, to be opened on another device. Raises RequestedTooOften."""
    limits.take_mail(user.tenant, user.email)
    letters.queue_link(user, invitation)
