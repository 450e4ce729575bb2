"""Runs the checks that an interface asks for: the command line all, a page those it shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from core.models import Tenant
from mdm.diagnosis import readiness, surroundings
from mdm.diagnosis.findings import Check, Finding, Level

NEEDED_BY_ALL = ("database", "migrations")
# What each page of the portal shows of the checks; slow ones wait for other servers.
PARTS: dict[str, tuple[str, ...]] = {
    "address": ("address", "tls", "proxy"),
    "mail": ("mail",),
}


def examine() -> Sequence[Finding]:
    """Run every check for every organisation; without a database only those that need none."""
    settings = surroundings.check_settings()
    if settings.level == Level.ERROR:
        return [settings]
    ready = readiness.look()
    if any(found.key in NEEDED_BY_ALL for found in ready if found.level == Level.ERROR):
        return [settings, *ready, surroundings.check_tls(), surroundings.check_mail()]
    return [*(check() for check in surroundings.CHECKS), *ready]


def examine_for(tenant: Tenant, part: str = "") -> list[Finding]:
    """Run the checks for one organisation, all or those of a `part`; tells nothing of others."""
    found = [check() for key, check in _checks_for(tenant).items() if _is_in(key, part)]
    return sorted(found, key=lambda finding: -finding.level)


def _is_in(key: str, part: str) -> bool:
    return part not in PARTS or key in PARTS[part]


def _checks_for(tenant: Tenant) -> dict[str, Check]:
    every = {
        check.__name__.removeprefix("check_"): check
        for check in (*surroundings.CHECKS, *readiness.CHECKS)
    }
    return every | {
        "push": partial(surroundings.check_push, [tenant]),
        "signer": partial(readiness.check_signer, [tenant]),
        "queue": partial(readiness.check_queue, [tenant]),
    }
