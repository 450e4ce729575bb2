"""Lets simulated iPhones and Macs enroll at a running server and live there, over HTTP only."""

from __future__ import annotations

import logging
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import httpx2
from django.conf import settings
from django.core.management import BaseCommand, CommandError

from mdm import simulation
from simulator import storage, wire
from simulator.administrator import Administrator
from simulator.behaviours import Script
from simulator.campaign import Campaign, Party
from simulator.demo import Demo
from simulator.devices import Device
from simulator.errors import SimulatorError
from simulator.mailbox import Invitation, MailFolder
from simulator.person import Person
from simulator.story import Story

START_SECONDS = 60
ORDERS = ("check_in", "lock", "retire", "wipe")


class Command(BaseCommand):
    help = (
        "Invites made-up people, reads their mails, and lets their simulated devices enroll and "
        "obey. Everything goes over HTTP to a running server."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=settings.MUSTER_PUBLIC_URL, help="of the server")
        for kind in ("iphone", "ipad", "mac"):
            parser.add_argument(f"--{kind}s", type=int, default=0, help=f"how many {kind}s")
        parser.add_argument("--link", default="", help="of an invitation mail, for one device")
        parser.add_argument("--pin", default="", help="from the same mail")
        parser.add_argument("--password", default="", help="of the person with the link")
        parser.add_argument("--token", default="", help="of the API; made when it is missing")
        parser.add_argument(
            "--mail-folder", type=Path, default=settings.MAIL_DIR, help="where mails arrive"
        )
        parser.add_argument(
            "--script",
            default="",
            help='how devices answer, for example "DeviceLock:not_now*2,ProfileList:error=12011"',
        )
        parser.add_argument(
            "--orders", default="", help=f"to give afterwards, of {', '.join(ORDERS)}"
        )
        parser.add_argument(
            "--forever", action="store_true", help="let these and earlier devices live on"
        )
        parser.add_argument("--poll-seconds", type=float, default=10.0, help="between polls")
        parser.add_argument("--folder", type=Path, default=settings.DATA_DIR / "simulator")
        parser.add_argument("--ca-file", default=None, help="roots of the server's TLS certificate")
        parser.add_argument("--demo", action="store_true", help="furnish a tenant and live in it")

    def handle(self, **options: Any) -> None:
        # one line for each request would drown the story
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        self._check(options)
        try:
            self._wait_for_server(options["url"], options["ca_file"])
            self._run(self._campaign(options), options)
        except simulation.NotReady as error:
            raise CommandError(str(error)) from error
        except SimulatorError as error:
            raise CommandError(f"{error} {self._hint(options)}".strip()) from error
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def _check(self, options: dict[str, Any]) -> None:
        try:
            Script.parse(options["script"])
        except ValueError as error:
            raise CommandError(f"--script: {error}.") from error
        unknown = [order for order in _orders(options) if order not in ORDERS]
        if unknown:
            raise CommandError(f"--orders: {unknown[0]} is not one of {', '.join(ORDERS)}.")
        counts = [options[name] for name in ("iphones", "ipads", "macs")]
        if min(counts) < 0 or sum(counts) > 1000:
            raise CommandError("Between 0 and 1,000 devices can be simulated at once.")
        if options["link"] and sum(counts) > 1:
            raise CommandError("--link is for one device: leave the rest out.")

    def _campaign(self, options: dict[str, Any]) -> Campaign:
        token = options["token"]
        if not token and not options["link"]:
            simulation.provide_push_certificate()
            token = simulation.open_door()
        http = wire.open_client(ca_file=options["ca_file"])
        return Campaign(
            administrator=Administrator(http, options["url"], token),
            mailbox=MailFolder(options["mail_folder"]),
            story=Story(self._say),
            folder=options["folder"],
            script_text=options["script"],
            ca_file=options["ca_file"],
        )

    def _run(self, campaign: Campaign, options: dict[str, Any]) -> None:
        if options["demo"]:
            Demo(campaign).run(threading.Event())
            return
        devices = self._enroll(campaign, options)
        for order in _orders(options):
            for device in devices:
                if device.is_managed:
                    campaign.order(device, order)
        if options["forever"]:
            earlier = storage.load_all(
                options["folder"], campaign.http, ledger=campaign.story.ledger
            )
            known = {device.udid for device in devices}
            devices += [device for device in earlier if device.udid not in known]
            self._say(
                f"{len(devices)} devices poll every {options['poll_seconds']:g} s. Ctrl-C ends."
            )
            campaign.live(devices, threading.Event(), poll_seconds=options["poll_seconds"])

    def _enroll(self, campaign: Campaign, options: dict[str, Any]) -> list[Device]:
        kinds = [kind for kind in ("iphone", "ipad", "mac") for _ in range(options[f"{kind}s"])]
        if options["link"]:
            return [self._follow(campaign, kinds or ["iphone"], options)]
        if not kinds and not options["forever"]:
            kinds = ["iphone", "mac"]
        parties = [campaign.party(kind, number) for number, kind in enumerate(kinds)]
        campaign.invite(parties)
        for party in parties:
            campaign.enroll(party)
        return [party.device for party in parties]

    def _follow(self, campaign: Campaign, kinds: list[str], options: dict[str, Any]) -> Device:
        person = Person(password=options["password"]) if options["password"] else Person()
        party = Party(person, "Guest", campaign.device(kinds[0], "Guest"))
        party.invitation = Invitation("", "", options["link"], options["pin"] or None, "", "")
        campaign.enroll(party)
        if not options["password"]:
            self._say(f"If a password was asked for, it is now {person.password}")
        return party.device

    def _wait_for_server(self, url: str, ca_file: str | None) -> None:
        deadline = time.monotonic() + START_SECONDS
        with wire.open_client(ca_file=ca_file, timeout=5) as http:
            while True:
                try:
                    http.get(f"{url}/healthz")
                    return
                except httpx2.TransportError as error:
                    if time.monotonic() > deadline:
                        raise CommandError(f"Nobody answers at {url}: {error}.") from error
                    time.sleep(0.5)

    def _hint(self, options: dict[str, Any]) -> str:
        if settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
            return "Is a worker running?"
        return "Mails leave by SMTP here: read yours, and use --link and --pin."

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _orders(options: dict[str, Any]) -> list[str]:
    return [order.strip() for order in options["orders"].split(",") if order.strip()]
