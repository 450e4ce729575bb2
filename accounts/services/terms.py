"""Terms of service: published in versions, asked for, accepted, retired, kept as evidence."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Max, OuterRef, Subquery

from accounts.errors import TermsAccepted, TermsOutdated
from accounts.models import TermsAcceptance, TermsOfService, User
from core import clock, history
from core.actors import Actor
from core.models import Tenant


@dataclass(frozen=True, slots=True)
class Asked:
    """The version that people are asked for now, and when this person accepted it."""

    terms: TermsOfService
    accepted_at: dt.datetime | None


@transaction.atomic
def publish(
    *, tenant: Tenant, title: str, text: str, actor: Actor, is_asked: bool = True
) -> TermsOfService:
    """Publish the next version, which takes the place of the one before.

    People accept it before their next registration, even if they accepted an earlier one. Raises
    ValidationError.
    """
    # The tenant is the lock: of two versions published at once, one is the next.
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    rows = TermsOfService.objects.filter(tenant=tenant)
    newest = rows.aggregate(newest=Max("version"))["newest"] or 0
    rows.filter(retired_at=None).update(retired_at=clock.now())
    made = TermsOfService(
        tenant=tenant, version=newest + 1, title=title.strip(), text=text.strip(), is_asked=is_asked
    )
    made.full_clean()
    made.save(force_insert=True)
    history.record(made, "accounts.terms.published", actor=actor, data={"version": made.version})
    return made


@transaction.atomic
def retire(*, terms: TermsOfService, actor: Actor) -> TermsOfService:
    """Ask nobody for this version any more. No effect on one that is retired."""
    row = TermsOfService.objects.select_for_update().get(pk=terms.pk)
    if row.retired_at is None:
        row.retired_at = clock.now()
        row.save(update_fields=["retired_at"])
        history.record(row, "accounts.terms.retired", actor=actor, data={"version": row.version})
    return row


@transaction.atomic
def delete(*, terms: TermsOfService, actor: Actor) -> None:
    """Delete a version that nobody accepted. Raises TermsAccepted for any other."""
    row = TermsOfService.objects.select_for_update().get(pk=terms.pk)
    if row.acceptances.exists():
        raise TermsAccepted
    history.record(row, "accounts.terms.deleted", actor=actor, data={"version": row.version})
    row.delete()


def asked_of(user: User) -> Asked | None:
    """Return what a person is asked for, accepted or not; None when nothing is. One query."""
    accepted = TermsAcceptance.objects.filter(terms=OuterRef("pk"), user=user)
    current = (
        TermsOfService.objects.filter(tenant_id=user.tenant_id, retired_at=None, is_asked=True)
        .annotate(accepted_at=Subquery(accepted.values("accepted_at")[:1]))
        .order_by("-version")
        .first()
    )
    return Asked(current, current.accepted_at) if current else None


def due(user: User) -> TermsOfService | None:
    """Return the terms that a person has yet to accept before registering. One query."""
    asked = asked_of(user)
    return asked.terms if asked is not None and asked.accepted_at is None else None


@transaction.atomic
def accept(*, user: User, terms_id: uuid.UUID, actor: Actor, place: str) -> TermsAcceptance | None:
    """Note that a person accepted the version that they read; once, whoever clicks twice.

    `place` names the page or app. Raises TermsOutdated when another version is asked for by now;
    None when nothing is asked any more.
    """
    asked = asked_of(user)
    if asked is None:
        return None
    # Held until the end, so that the version cannot be deleted in this instant.
    terms = TermsOfService.objects.select_for_update().filter(pk=asked.terms.pk).first()
    if terms is None or terms.pk != terms_id or terms.retired_at is not None:
        raise TermsOutdated
    try:
        with transaction.atomic():
            made = TermsAcceptance.objects.create(
                tenant_id=user.tenant_id, terms=terms, user=user, ip=actor.ip[:45], place=place
            )
    except IntegrityError:
        return TermsAcceptance.objects.get(terms=terms, user=user)
    data = {"version": terms.version, "title": terms.title, "place": place}
    history.record(user, "accounts.terms.accepted", actor=actor, data=data)
    return made
