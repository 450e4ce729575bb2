"""What a simulation needs of the server that it runs beside: a token, and a push certificate."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from accounts.models import ApiToken, User
from accounts.services import tenants, tokens
from apple.services import push_certificate
from apple.services.push_certificate import PushState
from core import clock
from core.actors import Actor
from mdm.checks import is_loopback

NAME = "simulate"
LIFETIME = dt.timedelta(days=7)
_ACTOR = Actor.system(NAME)


class NotReady(Exception):
    """The server cannot be simulated against; the text says what is missing."""


@transaction.atomic
def open_door() -> str:
    """Return a token of the API for a simulation; the one of the last simulation ends.

    Raises NotReady without an owner.
    """
    owner = User.objects.active().filter(roles__key="owner").order_by("created_at").first()
    if owner is None:
        raise NotReady("Nobody owns this server yet: start it with `manage.py serve` first.")
    for old in ApiToken.objects.live(clock.now()).filter(owner=owner, name=NAME):
        tokens.revoke(token=old, actor=_ACTOR)
    _token, text = tokens.create(
        owner=owner,
        name=NAME,
        scopes=sorted(owner.permissions),
        actor=_ACTOR,
        expires_at=clock.now() + LIFETIME,
    )
    return text


def provide_push_certificate() -> None:
    """Put a practice certificate where there is none, on a server that only this machine can reach.

    Raises NotReady on any other server: a practice certificate wakes no real device.
    """
    tenant = tenants.current()
    if tenant is None:
        raise NotReady("This server has no organisation yet: start it with `manage.py serve`.")
    if push_certificate.status(tenant).state not in (PushState.NONE, PushState.REQUESTED):
        return
    if not is_loopback(urlsplit(settings.MUSTER_PUBLIC_URL).hostname or ""):
        raise NotReady("There is no push certificate. Install one in Settings first.")
    push_certificate.install_practice(tenant=tenant, actor=_ACTOR)
