"""A campaign: people are invited, read their mails, enroll their devices, and live on."""

from __future__ import annotations

import random
import threading
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx2

from . import storage, wire
from .administrator import Administrator
from .behaviours import Script
from .devices import Device, IPad, IPhone, Mac, facts
from .errors import SimulatorError
from .fleet import Fleet, Outcome
from .mailbox import Invitation
from .person import Person
from .story import Story
from .wire import Patience

KINDS: dict[str, type[Device]] = {"iphone": IPhone, "ipad": IPad, "mac": Mac}
NAMES = (
    ("Amélie", "Laurent"), ("Kofi", "Mensah"), ("Ingrid", "Solberg"), ("Mateo", "Rivas"),
    ("Yuki", "Tanaka"), ("Fatima", "Haddad"), ("Jonas", "Keller"), ("Priya", "Nair"),
    ("Oluwaseun", "Adeyemi"), ("Chiara", "Rossi"), ("Tomasz", "Zielinski"), ("Leïla", "Benali"),
    ("Søren", "Madsen"), ("Ana", "Kovač"), ("David", "Okafor"), ("Maëlle", "Girard"),
    ("Hugo", "Fontaine"), ("Nadia", "Petrova"), ("Erik", "Lindqvist"), ("Sofia", "Marques"),
    ("Samuel", "Cohen"), ("Aïcha", "Diallo"), ("Lukas", "Novak"), ("Mei", "Chen"),
    ("Pablo", "Ortega"), ("Élise", "Moreau"), ("Ravi", "Iyer"), ("Hanna", "Virtanen"),
    ("Omar", "Farouk"), ("Clara", "Weber"), ("Thabo", "Dlamini"), ("Zoé", "Lefèvre"),
)  # fmt: skip
MAIL_SECONDS = 90.0


class NoMail(SimulatorError):
    """The invitation did not arrive."""


class Mailbox(Protocol):
    def invitations(self, recipient: str = "") -> list[Invitation]: ...


@dataclass
class Party:
    """A person, their invitation, and the device that they hold."""

    person: Person
    name: str
    device: Device
    invitation: Invitation | None = None


@dataclass
class Campaign:
    """Everything that a simulation needs; `story` tells what happens."""

    administrator: Administrator
    mailbox: Mailbox
    story: Story
    folder: Path
    script_text: str = ""
    patience: Patience = field(default_factory=lambda: Patience(seconds=60.0, pause=0.5))
    rng: random.Random = field(default_factory=facts.new_random)
    ca_file: str | None = None

    def __post_init__(self) -> None:
        self.first_name = self.rng.randrange(len(NAMES))

    def http(self) -> httpx2.Client:
        return wire.open_client(ca_file=self.ca_file)

    def device(self, kind: str, owner: str) -> Device:
        """A device out of its box, with the script of behaviours that was asked for."""
        first_name = owner.split(" ")[0]
        is_mac = kind == "mac"
        made = (
            facts.mac(self.rng, first_name)
            if is_mac
            else facts.mobile(self.rng, first_name, kind=KINDS[kind].kind)
        )
        device = KINDS[kind](
            made,
            self.http(),
            ledger=self.story.ledger,
            script=Script.parse(self.script_text),
            patience=self.patience,
        )
        if isinstance(device, Mac):
            device.login_as(first_name.lower(), owner)
        self.story.introduce(device, owner)
        return device

    def party(self, kind: str, index: int) -> Party:
        """Somebody with a name and an address that nobody else has."""
        first, last = NAMES[(self.first_name + index) % len(NAMES)]
        suffix = f"{self.rng.randrange(16**6):06x}"
        address = f"{_ascii(first)}.{_ascii(last)}.{suffix}@example.com"
        name = f"{first} {last}"
        return Party(Person(address), name, self.device(kind, name))

    def invite(self, parties: Iterable[Party]) -> None:
        """Add the people with their names, invite them, and wait for their mails."""
        invited = list(parties)
        for party in invited:
            first, _, last = party.name.partition(" ")
            self.administrator.add_person(party.person.email, first, last)
        self.administrator.invite(*(party.person.email for party in invited))
        for party in invited:
            party.invitation = self.wait_for_mail(party.person.email)
            self.story.tell(party.name, f"got the mail “{party.invitation.subject}”")

    def wait_for_mail(self, email: str, seconds: float = MAIL_SECONDS) -> Invitation:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.mailbox.invitations(email)
            if found:
                return found[-1]
            time.sleep(0.5)
        raise NoMail(f"no invitation for {email} came within {seconds:.0f} s")

    def enroll(self, party: Party) -> None:
        """Follow the mail to the end: the device is managed and has told about itself."""
        if party.invitation is None:
            raise NoMail(f"{party.name} was not invited")
        self.story.tell(party.name, "opens the link and types the PIN")
        profile = party.person.accept(party.device, party.invitation)
        signer = profile.signers[0].subject.rfc4514_string()
        self.story.tell(party.name, f"installed the profile signed by {signer}")
        self.settle(party.device)

    def settle(self, device: Device) -> None:
        """Let a device do what waits for it."""
        for _ in range(20):
            executed = device.poll()
            if not executed:
                break
            self.report(device, executed)
        storage.save(device, self.folder)

    def report(self, device: Device, executed: int) -> None:
        done = self.story.ledger.executions(device.udid)[-executed:]
        told = ", ".join(f"{item.request_type} ({item.status})" for item in done)
        self.story.tell(self.story.name_of(device), f"did {told}")

    def order(self, device: Device, action: str) -> None:
        """Have the administrator order something, and the device obey."""
        self.story.tell("administrator", f"orders {action} of {self.story.name_of(device)}")
        self.administrator.order(device.udid, action)
        self.settle(device)
        if device.is_locked:
            pin = self.administrator.reveal_pin(device.udid)
            self.story.tell("administrator", "reveals the PIN")
            if pin is not None and isinstance(device, Mac):
                device.unlock(pin)
        state = self.administrator.device(device.udid)["state"]
        self.story.tell(self.story.name_of(device), f"is “{state}” in the portal")

    def live(
        self, devices: list[Device], stop: threading.Event, *, poll_seconds: float = 10.0
    ) -> None:
        """Let the devices live until `stop`: they poll, obey, and are saved after each event.

        Devices that are added to the list meanwhile live along.
        """

        def note(outcome: Outcome) -> None:
            self.story.turn(outcome)
            storage.save(outcome.device, self.folder)

        Fleet(devices, poll_seconds=poll_seconds).live(stop, note)


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ø", "o"))
    return "".join(char for char in plain if char.isascii() and char.isalpha()).lower()
