"""The way back in for an owner who lost password or second factor, from the server's console."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.models import User
from accounts.services import recovery
from core.actors import Actor


class Command(BaseCommand):
    help = (
        "Gives an owner a one-time password and removes the second factor; ends all sessions. "
        "It is written in the change history."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="address of an enabled owner")

    def handle(self, *, email: str, **options: Any) -> None:
        owners = User.objects.active().filter(roles__key="owner", email__iexact=email.strip())
        owner = owners.first()
        if owner is None:
            raise CommandError(f"There is no enabled owner with the address {email}.")
        password = recovery.readmit(user=owner, actor=Actor.system("recover_owner"))
        self.stdout.write(f"One-time password: {password}")
        self.stdout.write("It is changed at the next sign-in, where a second factor is added anew.")
