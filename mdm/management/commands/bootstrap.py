"""Sets a new server up without starting it; `serve` does the same by itself."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError

from mdm import installation


class Command(BaseCommand):
    help = (
        "Creates the organisation, its keys and the first owner, or completes what is missing. "
        "Run it after `migrate`."
    )

    def handle(self, **options: Any) -> None:
        try:
            installed = installation.install()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Organisation: {installed.tenant.name}")
        self.stdout.write(f"Owner: {installed.owner.email}")
        if installed.password:
            self.stdout.write(f"One-time password: {installed.password}")
            self.stdout.write("It is shown this once, and changed at the first sign-in.")
