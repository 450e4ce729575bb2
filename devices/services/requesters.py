"""Who stands behind an actor, and who may decide about what somebody else wants."""

from __future__ import annotations

import datetime as dt
import uuid

from accounts.access import Principal
from accounts.models import ApiToken, User
from core import clock
from core.actors import Actor
from devices.errors import CannotApprove
from devices.wipe_rules import COOL_DOWN

PERMISSION = "devices.wipe"


def behind(actor: Actor) -> tuple[User | None, ApiToken | None]:
    """Return the person, and the token if one was used; nobody for the system. One query."""
    if actor.kind in ("user", "person"):
        return User.objects.filter(pk=actor.id).select_related("tenant").first(), None
    if actor.kind == "token":
        token = ApiToken.objects.filter(pk=actor.id).select_related("owner__tenant").first()
        return (token.owner, token) if token else (None, None)
    return None, None


def principal(
    user: User | None, token_id: uuid.UUID | None, tenant_id: uuid.UUID
) -> Principal | None:
    """Return who asks, as they may now; None when they may nothing any more. Two queries."""
    if token_id is not None:
        live = ApiToken.objects.live(clock.now()).filter(pk=token_id, tenant_id=tenant_id)
        return live.select_related("owner").first()
    if user is None:
        return None
    return User.objects.active().filter(pk=user.pk, tenant_id=tenant_id).first()


def cools_until(user: User) -> dt.datetime | None:
    """Return until when somebody's rights are too new for grave decisions; None if they are not.

    Rights of the first owner came with the server and have no such time.
    """
    if user.promoted_at is None:
        return None
    until = user.promoted_at + COOL_DOWN
    return until if until > clock.now() else None


def check_may_approve(user: User, *, requester: User | None) -> None:
    """Raise CannotApprove, with the reason, unless `user` may decide what `requester` wants."""
    if not user.has(PERMISSION):
        raise CannotApprove("no_permission")
    if requester is not None and requester.tenant_id != user.tenant_id:
        raise CannotApprove("no_permission")
    if requester is not None and user.pk == requester.pk:
        raise CannotApprove("is_requester")
    if cools_until(user) is not None:
        raise CannotApprove("cool_down")
    if requester is not None and user.promoted_by_id == requester.pk:
        raise CannotApprove("promoted_by_requester")


def may_approve(user: User, *, requester: User | None) -> bool:
    try:
        check_may_approve(user, requester=requester)
    except CannotApprove:
        return False
    return True


def approvers(tenant_id: uuid.UUID, *, requester: User | None) -> list[User]:
    """Return who could approve now. One query, and one per person with a role."""
    people = User.objects.filter(tenant_id=tenant_id).active().administrators().order_by("email")
    return [user for user in people if may_approve(user, requester=requester)]


def owners(tenant_id: uuid.UUID) -> list[User]:
    people = User.objects.filter(tenant_id=tenant_id, roles__key="owner", roles__is_builtin=True)
    return list(people.active().distinct().order_by("email"))
