"""Creates and changes people and their roles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction

from accounts.access import Principal
from accounts.errors import AddressTaken, ForeignObject, LastOwner, NotAllowedToGrant
from accounts.models import Role, User
from accounts.services import sessions
from core import clock, history, onetime
from core.actors import Actor
from core.models import OneTimeSecret, Tenant

RESET = "password_reset"
EDITABLE = ("first_name", "last_name", "language", "time_zone")


def normalise(email: str) -> str:
    """Return the address as it is stored and compared."""
    return email.strip().lower()


@transaction.atomic
def create(*, tenant: Tenant, email: str, actor: Actor, **fields: Any) -> User:
    """Create a person without a password. Raises AddressTaken, ValidationError."""
    email = normalise(email)
    if User.objects.filter(email__iexact=email).exists():
        raise AddressTaken
    user = User(
        tenant=tenant,
        email=email,
        **{name: value for name, value in fields.items() if name in EDITABLE},
    )
    user.set_unusable_password()
    # Whether the address is free is the database's to say: asking before is only for the courtesy.
    user.full_clean(exclude=["password"], validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise AddressTaken from error
    history.record(user, "accounts.user.created", actor=actor)
    return user


@transaction.atomic
def find_or_create(*, tenant: Tenant, email: str, actor: Actor, **fields: Any) -> User:
    """Return the tenant's person with this address, created if needed.

    Raises AddressTaken when the address belongs to somebody in another tenant.
    """
    known = User.objects.filter(email__iexact=normalise(email))
    user = known.first()
    if user is None:
        try:
            return create(tenant=tenant, email=email, actor=actor, **fields)
        except AddressTaken:
            # Somebody else added the person in this instant.
            user = known.get()
    if user.tenant_id != tenant.pk:
        raise AddressTaken
    return user


@transaction.atomic
def edit(*, user: User, actor: Actor, **fields: Any) -> User:
    """Change names, language or time zone; anything else in `fields` is ignored."""
    user = User.objects.select_for_update().get(pk=user.pk)
    wanted = {name: value for name, value in fields.items() if name in EDITABLE}
    before = {name: getattr(user, name) for name in wanted}
    for name, value in wanted.items():
        setattr(user, name, value)
    changed = history.changes(before, wanted)
    if changed:
        user.full_clean(exclude=["password"])
        user.groups_due_at = clock.now()
        user.save(update_fields=[*changed, "groups_due_at"])
        history.record(user, "accounts.user.edited", actor=actor, data=changed)
    return user


@transaction.atomic
def set_enabled(*, user: User, enabled: bool, actor: Actor) -> User:
    """Enable or disable a person; disabling ends sessions, links and PINs. Raises LastOwner."""
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_active == enabled:
        return user
    if not enabled:
        _keep_an_owner(user)
    user.is_active, user.groups_due_at = enabled, clock.now()
    if enabled and user.is_administrator:
        # A sleeping account that is woken up has its rights anew.
        user.promoted_at = clock.now()
    user.save(update_fields=["is_active", "groups_due_at", "promoted_at"])
    if not enabled:
        end_everything(user)
    word = "enabled" if enabled else "disabled"
    history.record(user, f"accounts.user.{word}", actor=actor)
    return user


@transaction.atomic
def set_roles(*, user: User, roles: Iterable[Role], principal: Principal) -> User:
    """Replace a person's roles; rights that are new count from now (`promoted_at`).

    Nobody grants or takes what they lack; an owner must remain; all roles are of one tenant.
    Raises NotAllowedToGrant, LastOwner, ForeignObject.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    wanted, current = set(roles), set(user.roles.all())
    if any(role.tenant_id != user.tenant_id for role in wanted):
        raise ForeignObject
    _check_may_grant(principal, wanted ^ current)
    if wanted == current:
        return user
    if any(role.key == "owner" for role in current - wanted):
        _keep_an_owner(user)
    user.roles.set(wanted)
    User.objects.filter(pk=user.pk).update(groups_due_at=clock.now())
    user.__dict__.pop("permissions", None)
    if _permissions_of(wanted) - _permissions_of(current):
        _note_promotion(user, principal)
    history.record(
        user,
        "accounts.roles.changed",
        actor=principal.actor,
        data={"roles": [sorted(r.key for r in current), sorted(r.key for r in wanted)]},
    )
    if not wanted:
        end_sessions(user)
    return user


def _check_may_grant(principal: Principal, roles: Iterable[Role]) -> None:
    if not principal.has("roles.assign"):
        raise NotAllowedToGrant
    if not all(principal.has(name) for name in _permissions_of(roles)):
        raise NotAllowedToGrant


def _note_promotion(user: User, principal: Principal) -> None:
    giver = getattr(principal, "owner", principal)
    user.promoted_at = clock.now()
    user.promoted_by = giver if isinstance(giver, User) else None
    user.save(update_fields=["promoted_at", "promoted_by"])


def _permissions_of(roles: Iterable[Role]) -> set[str]:
    return {name for role in roles for name in role.permissions}


@transaction.atomic
def set_password(
    *, user: User, password: str, actor: Actor, but_session: str | None = None
) -> User:
    """Set a password that was validated; other sessions, links and codes of the person end."""
    user = User.objects.select_for_update().get(pk=user.pk)
    user.set_password(password)
    user.must_change_password, user.password_changed_at = False, clock.now()
    user.save(update_fields=["password", "must_change_password", "password_changed_at"])
    end_everything(user, but_session=but_session)
    history.record(user, "accounts.password.changed", actor=actor)
    return user


def end_everything(user: User, *, but_session: str | None = None) -> None:
    """Void what the person could still use: sessions and one-time secrets."""
    sessions.end_all(user, but=but_session)
    now = clock.now()
    OneTimeSecret.objects.live(now).filter(subject=onetime.subject_of(user)).update(voided_at=now)


def end_sessions(user: User, *, but: str | None = None) -> int:
    """End every session of a person, on both planes; returns how many."""
    return sessions.end_all(user, but=but)


def _keep_an_owner(user: User) -> None:
    # The tenant is the lock: two owners must not disable each other at once.
    Tenant.objects.select_for_update().get(pk=user.tenant_id)
    if not user.roles.filter(key="owner").exists():
        return
    others = User.objects.active().filter(tenant_id=user.tenant_id, roles__key="owner")
    if not others.exclude(pk=user.pk).exists():
        raise LastOwner
