"""The steps of the start-up wizard, and how far an organisation has come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.models import Tenant


class Outcome(StrEnum):
    DONE = "done"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """`must` be done before the setup can be finished; every other step may be skipped."""

    key: str
    label: Any
    must: bool = False


SUMMARY = "summary"
STEPS = (
    Step("terms", _("Terms"), must=True),
    Step("organisation", _("Organisation and languages")),
    Step("address", _("Address")),
    Step("mail", _("Mail")),
    Step("push", _("Push certificate")),
    Step("people", _("First people")),
    Step(SUMMARY, _("Summary")),
)
BY_KEY = {step.key: step for step in STEPS}


@dataclass(frozen=True, slots=True)
class Standing:
    """A step and what became of it; `outcome` is empty while it is open."""

    step: Step
    outcome: str
    is_current: bool = False


def standing(tenant: Tenant, current: str = "") -> list[Standing]:
    return [
        Standing(step, tenant.setup_outcomes.get(step.key, ""), step.key == current)
        for step in STEPS
    ]


def is_begun(tenant: Tenant) -> bool:
    return bool(tenant.setup_outcomes)


def resume_at(tenant: Tenant) -> str:
    """Return the first step that is neither done nor skipped."""
    open_steps = (step.key for step in STEPS if step.key not in tenant.setup_outcomes)
    return next(open_steps, SUMMARY)


def after(key: str) -> str:
    keys = [step.key for step in STEPS]
    return keys[min(keys.index(key) + 1, len(keys) - 1)]


def missing(tenant: Tenant) -> list[Step]:
    """Return what must be done before the setup can be finished."""
    return [
        step for step in STEPS if step.must and tenant.setup_outcomes.get(step.key) != Outcome.DONE
    ]


def hint(user: User) -> dict[str, Any] | None:
    """Return where the setup was left, for those who can go on with it; no query."""
    tenant = user.tenant
    if tenant.setup_finished_at is not None or not user.has("settings.manage"):
        return None
    done = sum(step.key in tenant.setup_outcomes for step in STEPS)
    label = BY_KEY[resume_at(tenant)].label
    return {"done": done, "count": len(STEPS), "label": label, "is_begun": is_begun(tenant)}
