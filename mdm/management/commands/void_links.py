"""Ends all registration links from the console, as an upgrade that concerns them has to."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from core.actors import Actor
from core.models import Tenant
from enrollment.services import invitations, links


class Command(BaseCommand):
    help = (
        "Ends every registration link, code and unused profile that exists now. Invitations stay "
        "open: send them again in Settings, Enrollment. It is written in the change history."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", default="", help="short name; all organisations without it")
        parser.add_argument("--reason", default="", help="kept in the change history")

    def handle(self, *, tenant: str, reason: str, **options: Any) -> None:
        rows = list(Tenant.objects.filter(slug=tenant) if tenant else Tenant.objects.all())
        if tenant and not rows:
            raise CommandError(f"There is no organisation with the short name {tenant}.")
        for row in rows:
            links.void_all(tenant=row, actor=Actor.system("void_links"), reason=reason[:300])
            waiting = invitations.outdated(row).count()
            self.stdout.write(f"{row.name}: all links ended, {waiting} open invitations to resend")
