"""Makes a token of the API for scripts, on a server where nobody needs to open the portal."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError

from accounts.access import PERMISSIONS
from accounts.models import User
from accounts.services import tokens
from core import clock
from core.actors import Actor
from core.errors import DomainError

LONGEST_DAYS = 3650


class Command(BaseCommand):
    help = "Creates an API token and prints it once. Scopes: " + ", ".join(PERMISSIONS)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the token is for")
        parser.add_argument("--owner", required=True, help="e-mail address of the owner")
        parser.add_argument("--scope", action="append", default=[], help="may be repeated")
        parser.add_argument("--days", type=int, default=90, help="days that it is valid")

    def handle(self, *, name: str, owner: str, scope: list[str], days: int, **options: Any) -> None:
        if not 1 <= days <= LONGEST_DAYS:
            raise CommandError(f"--days must be between 1 and {LONGEST_DAYS}.")
        user = User.objects.active().filter(email__iexact=owner.strip()).first()
        if user is None:
            raise CommandError(f"There is no enabled person with the address {owner}.")
        try:
            token, text = tokens.create(
                owner=user,
                name=name,
                scopes=scope or sorted(user.permissions),
                actor=Actor.system("create_token"),
                expires_at=clock.now() + dt.timedelta(days=days),
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        self.stdout.write(text)
        self.stderr.write(f"Scopes: {', '.join(token.scopes)}. The token is shown this once.")
