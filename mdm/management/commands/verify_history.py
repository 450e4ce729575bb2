"""Recomputes the chain of the change history, entry by entry."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from core.models import Tenant
from core.services import chain


class Command(BaseCommand):
    help = (
        "Verifies that no entry of the change history was altered, inserted or deleted. Prints the "
        "head of each organisation's chain: note it elsewhere and compare it later,"
        " because entries missing at the end leave no other trace."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", default="", help="short name; all organisations without it")

    def handle(self, *, tenant: str, **options: Any) -> None:
        rows = list(Tenant.objects.filter(slug=tenant) if tenant else Tenant.objects.all())
        if tenant and not rows:
            raise CommandError(f"There is no organisation with the short name {tenant}.")
        broken = [row.slug for row in rows if not self._is_intact(row)]
        if broken:
            raise CommandError(f"The history was tampered with: {', '.join(broken)}")

    def _is_intact(self, tenant: Tenant) -> bool:
        report = chain.verify(tenant.pk)
        if not report.is_intact:
            self.stdout.write(f"{tenant.slug}: broken at entry {report.broken_at} of the chain")
            return False
        self.stdout.write(
            f"{tenant.slug}: {report.sealed} entries intact, {report.unsealed} not sealed yet, "
            f"head {report.last_index} {report.head}"
        )
        return True
