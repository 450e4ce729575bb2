"""Says in plain words what is missing or broken, and how to mend each."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.management import BaseCommand, CommandError

from mdm.diagnosis.examination import examine
from mdm.diagnosis.findings import Level, worst

WORDS = {Level.OK: "ok", Level.WARNING: "warning", Level.ERROR: "ERROR"}


class Command(BaseCommand):
    help = (
        "Looks for what is missing before a real device can enroll. Exits with an error when "
        "something is broken; with --strict also when something is missing."
    )
    # What the system checks refuse is told here in the same form as the rest.
    requires_system_checks: ClassVar[list[str]] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--strict", action="store_true", help="a warning is an error")

    def handle(self, *, strict: bool, **options: Any) -> None:
        findings = examine()
        for finding in findings:
            self.stdout.write(f"{WORDS[finding.level]:<9}{finding.key:<12}{finding.text}")
            if finding.level != Level.OK and finding.remedy:
                self.stdout.write(f"{'':<21}→ {finding.remedy}")
        level = worst(findings)
        if level == Level.ERROR or (strict and level == Level.WARNING):
            count = sum(finding.level != Level.OK for finding in findings)
            raise CommandError(f"To mend: {count}.")
