"""Starts the whole server: database, keys, first owner, web, worker and beat."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connections

from mdm import installation, launch
from mdm.installation import Installation
from mdm.supervisor import Supervisor


class Command(BaseCommand):
    help = "Starts the whole server; Ctrl-C stops it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="let simulated devices live here")
        parser.add_argument(
            "--no-worker", action="store_true", help="web only; a worker runs elsewhere"
        )

    def handle(self, *, demo: bool, no_worker: bool, **options: Any) -> None:
        try:
            with launch.lock_data_folder(settings.DATA_DIR):
                self._serve(demo=demo, no_worker=no_worker)
        except launch.Refused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _serve(self, *, demo: bool, no_worker: bool) -> None:
        launch.refuse_taken_port(settings.MUSTER_HOST, settings.MUSTER_PORT)
        installed = self._prepare()
        programs = [launch.web_program()]
        if not no_worker:
            programs += [launch.worker_program(), launch.beat_program()]
        if demo:
            programs.append(launch.demo_program())
        supervisor = Supervisor(programs, log_folder=settings.DATA_DIR / "log", say=self._say)
        # The children find their code and their data wherever this command was started.
        os.environ["MUSTER_DATA_DIR"] = str(settings.DATA_DIR)
        os.chdir(settings.BASE_DIR)
        launch.share_metrics()
        connections.close_all()
        supervisor.run(is_ready=launch.does_web_answer, announce=lambda: self._announce(installed))
        self._say("Stopped.")

    def _prepare(self) -> Installation:
        call_command("migrate", interactive=False, verbosity=0)
        if enrolled := installation.changed_address():
            raise CommandError(
                f"Devices are enrolled under {enrolled}, and MUSTER_PUBLIC_URL is "
                f"{settings.MUSTER_PUBLIC_URL}. They can never be told another address: set "
                "MUSTER_PUBLIC_URL back."
            )
        try:
            installed = installation.install()
        except ValidationError as error:
            raise CommandError(
                "MUSTER_ADMIN_EMAIL or MUSTER_ADMIN_PASSWORD is not accepted: "
                + " ".join(error.messages)
            ) from error
        launch.collect_static()
        return installed

    def _announce(self, installed: Installation) -> None:
        self._say(f"Muster is running at {settings.MUSTER_PUBLIC_URL}/")
        if installed.password:
            self._say(f"Sign in as     {installed.owner.email}")
            self._say(f"One-time password {installed.password}")
            self._say("It is shown this once, and changed when you sign in.")
        self._say(f"Logs are in {settings.DATA_DIR / 'log'}. Ctrl-C stops the server.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
