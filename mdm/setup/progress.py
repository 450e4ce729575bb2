"""Writes down how far the setup of an organisation has come."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock, history
from core.actors import Actor
from core.errors import DomainError
from core.models import Tenant
from mdm.setup.steps import BY_KEY, SUMMARY, Outcome, missing

# Counted up when the words of the terms change; the history names what was accepted.
TERMS_VERSION = 1


class SetupIncomplete(DomainError):
    code = "setup_incomplete"


class StepRequired(DomainError):
    code = "setup_step_required"


@transaction.atomic
def accept_terms(*, tenant: Tenant, actor: Actor) -> None:
    """Record who accepted, for the organisation, what managing devices asks of it."""
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if tenant.setup_outcomes.get("terms") != Outcome.DONE:
        history.record(
            tenant, "core.tenant.terms_accepted", actor=actor, data={"version": TERMS_VERSION}
        )
        _note(tenant, "terms", Outcome.DONE)


@transaction.atomic
def pass_step(*, tenant: Tenant, key: str, outcome: Outcome) -> None:
    """Note that a step is done or skipped. What was done once is not skipped later.

    Raises StepRequired for skipping a step that must be done.
    """
    if outcome == Outcome.SKIPPED and BY_KEY[key].must:
        raise StepRequired(_("This step cannot be skipped."))
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if tenant.setup_outcomes.get(key) != Outcome.DONE:
        _note(tenant, key, outcome)


@transaction.atomic
def finish(*, tenant: Tenant, actor: Actor) -> None:
    """End the setup; idempotent. Raises SetupIncomplete while a step that must be done is open."""
    tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
    left = missing(tenant)
    if left:
        names = ", ".join(str(step.label) for step in left)
        raise SetupIncomplete(_("Before you finish: %(steps)s.") % {"steps": names})
    if tenant.setup_finished_at is None:
        tenant.setup_finished_at = clock.now()
        tenant.save(update_fields=["setup_finished_at"])
        _note(tenant, SUMMARY, Outcome.DONE)
        history.record(
            tenant, "core.tenant.setup_finished", actor=actor, data=dict(tenant.setup_outcomes)
        )


def _note(tenant: Tenant, key: str, outcome: Outcome) -> None:
    tenant.setup_outcomes = {**tenant.setup_outcomes, key: str(outcome)}
    tenant.save(update_fields=["setup_outcomes"])
