"""The field: people with mailboxes and simulated devices, around a running server."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import httpx2

from simulator import wire
from simulator.devices import Device, IPad, IPhone, Mac, facts
from simulator.ledger import Ledger
from simulator.mailbox import Invitation, parse_message, read_invitation
from simulator.person import Person
from simulator.wire import Patience
from tests.e2e.server import Server
from tests.fakes.apns import FakeAPNs
from tests.fakes.smtp import FakeSMTP
from tests.fakes.waiting import until

_numbers = itertools.count(1)
KINDS = {"iphone": IPhone, "ipad": IPad, "mac": Mac}


class Field:
    """Invites by the API, reads mails, makes devices; `close()` ends their connections."""

    def __init__(self, server: Server, mail: FakeSMTP, apns: FakeAPNs | None = None) -> None:
        self.server, self.mail, self.apns = server, mail, apns
        self.ledger = Ledger()
        self.api = server.api()
        self._stack = contextlib.ExitStack()
        self._stack.callback(self.api.close)

    def close(self) -> None:
        self._stack.close()

    # People

    def invite(self, *emails: str) -> list[Invitation]:
        """Invite people and wait for their mails."""
        self.send_invitations(*emails)
        return [self.invitation_of(email) for email in emails]

    def send_invitations(self, *emails: str) -> None:
        answer = self.api.post("/invitations", json={"emails": list(emails)})
        assert answer.status_code in (200, 201), answer.text

    def invitation_of(self, email: str, *, number: int = 1, seconds: float = 30) -> Invitation:
        """The newest of at least `number` invitations in somebody's mailbox."""

        def arrived() -> list[Invitation]:
            read = [read_invitation(parse_message(m.raw)) for m in self.mail.mails_to(email)]
            found = [invitation for invitation in read if invitation]
            return found if len(found) >= number else []

        return until(arrived, seconds=seconds, what=f"the invitation of {email}")[-1]

    def newcomer(self) -> tuple[Person, Invitation]:
        """Somebody new, invited just now."""
        [found] = self.newcomers(1)
        return found

    def newcomers(self, count: int) -> list[tuple[Person, Invitation]]:
        """People who were invited together."""
        people = [Person(f"person{next(_numbers)}@people.test") for _ in range(count)]
        self.send_invitations(*(person.email for person in people))
        return [(person, self.invitation_of(person.email, seconds=120)) for person in people]

    # Devices

    def http(self) -> httpx2.Client:
        return self._stack.enter_context(wire.open_client())

    def device(
        self,
        kind: str = "iphone",
        *,
        patience: Patience | None = None,
        new_key: Callable[[int], Any] | None = None,
    ) -> Device:
        """A new device out of its box."""
        rng = facts.new_random()
        is_mac = kind == "mac"
        made = facts.mac(rng, "Field") if is_mac else facts.mobile(rng, "Field", kind=_kind(kind))
        options = {"new_key": new_key} if new_key else {}
        return KINDS[kind](
            made, self.http(), ledger=self.ledger, patience=patience or wire.IMPATIENT, **options
        )

    def enrolled(self, kind: str = "iphone") -> Device:
        """A device of somebody new, enrolled, with its first inventory told."""
        person, invitation = self.newcomer()
        device = self.device(kind)
        person.accept(device, invitation)
        self.settle(device)
        return device

    def settle(self, device: Device) -> None:
        """Let the device work off what waits for it."""
        until(lambda: device.poll() == 0, seconds=20)

    # What the server says

    def entries(self, device: Device) -> list[dict[str, Any]]:
        """The entries of a device that the API shows, archived ones too."""
        answer = self.api.get("/devices", params={"q": device.facts.serial, "archived": "any"})
        assert answer.status_code == 200, answer.text
        return answer.json()["results"]

    def entry(self, device: Device) -> dict[str, Any]:
        [found] = [one for one in self.entries(device) if not one["archived_at"]]
        return found

    def state(self, device: Device) -> str:
        return self.entry(device)["state"]

    def order(self, device: Device, action: str, **body: Any) -> httpx2.Response:
        return self.api.post(f"/devices/{self.entry(device)['id']}/{action}", json=body)


def _kind(kind: str) -> str:
    return {"iphone": "iPhone", "ipad": "iPad"}[kind]
