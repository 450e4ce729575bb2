"""The field: people with mailboxes and simulated devices, around a running server."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from simulator import wire
from simulator.administrator import Administrator
from simulator.browser import Browser
from simulator.devices import Device, IPad, IPhone, Mac, facts
from simulator.ledger import Ledger
from simulator.mailbox import Invitation, parse_message, read_invitation
from simulator.person import Person
from simulator.wire import Patience
from tests.e2e.inside import Inside
from tests.e2e.server import OWNER, Server
from tests.fakes.apns import FakeAPNs
from tests.fakes.smtp import FakeSMTP
from tests.fakes.waiting import until

_numbers = itertools.count(1)
TOPIC = "com.apple.mgmt.External.0f6c8f2e-2f6f-4c63-9f3c-5d1f2b7a9e10"
BATCH = 12  # invited together, because each mail takes seconds
KINDS = {"iphone": IPhone, "ipad": IPad, "mac": Mac}


class Field:
    """Invites, reads mails, makes devices; `close()` ends their connections."""

    def __init__(
        self,
        server: Server,
        mail: FakeSMTP,
        apns: FakeAPNs | None = None,
        *,
        has_certificate: bool = False,
    ) -> None:
        self.server, self.mail, self.apns = server, mail, apns
        self.ledger = Ledger()
        self.devices: list[Device] = []
        self._shared: dict[str, Device] = {}
        self._invited: list[tuple[Person, Invitation]] = []
        self._stack = contextlib.ExitStack()
        self.inside = self._stack.enter_context(Inside(server))
        made = server.manage("create_token", "field", "--owner", OWNER)
        token = made.stdout.strip()
        self.administrator = Administrator(self.http(), server.url, token)
        if not has_certificate:
            self._prepare_pushes()

    def close(self) -> None:
        self._stack.close()

    def _prepare_pushes(self) -> None:
        """A push certificate by the way of the settings page, with the fake in Apple's place."""
        if self.apns is None:
            self.inside.call("install_practice")
            return
        csr = self.administrator.request_push_certificate()
        request = x509.load_pem_x509_csr(csr.encode())
        certificate = self.apns.authority.sign_push_request(request, TOPIC)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        self.administrator.upload_push_certificate(pem.decode())

    # People

    def invite(self, *emails: str) -> list[Invitation]:
        """Invite people and wait for their mails."""
        self.send_invitations(*emails)
        return [self.invitation_of(email) for email in emails]

    def send_invitations(self, *emails: str) -> None:
        self.administrator.invite(*emails)

    def invitation_of(self, email: str, *, number: int = 1, seconds: float = 30) -> Invitation:
        """The newest of at least `number` invitations in somebody's mailbox."""

        def arrived() -> list[Invitation]:
            read = [read_invitation(parse_message(m.raw)) for m in self.mail.mails_to(email)]
            found = [invitation for invitation in read if invitation]
            return found if len(found) >= number else []

        return until(arrived, seconds=seconds, what=f"the invitation of {email}")[-1]

    def newcomer(self) -> tuple[Person, Invitation]:
        """Somebody new, who was invited."""
        if not self._invited:
            self._invited = self.newcomers(BATCH)
        return self._invited.pop(0)

    def newcomers(self, count: int) -> list[tuple[Person, Invitation]]:
        """People who were invited together."""
        people = [Person(f"person{next(_numbers)}@people.test") for _ in range(count)]
        self.send_invitations(*(person.email for person in people))
        return [(person, self.invitation_of(person.email, seconds=120)) for person in people]

    def another_pin(self, person: Person, browser: Browser) -> Invitation:
        """Press "Send me a new PIN" on the page that is open, and read the mail."""
        if browser.page is None:
            raise AssertionError("no page is open")
        [form] = [form for form in browser.page.forms if form.fields.get("step") == "request-pin"]
        before = len(self.mail.mails_to(person.email))
        browser.submit(form)
        return self.invitation_of(person.email, number=before + 1, seconds=120)

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
        device = KINDS[kind](
            made, self.http(), ledger=self.ledger, patience=patience or wire.IMPATIENT, **options
        )
        self.devices.append(device)
        return device

    def oddities(self) -> list[str]:
        """What the server did to devices that it should not: cookies, redirects."""
        return [oddity for device in self.devices for oddity in device.oddities]

    def enrolled(self, kind: str = "iphone") -> Device:
        """A device of somebody new, enrolled, with its first inventory told."""
        person, invitation = self.newcomer()
        device = self.device(kind)
        person.accept(device, invitation)
        self.settle(device)
        return device

    def shared(self, kind: str = "iphone") -> Device:
        """An enrolled device for tests that leave it managed and its queue empty."""
        if kind not in self._shared:
            self._shared[kind] = self.enrolled(kind)
        return self._shared[kind]

    def settle(self, device: Device) -> None:
        """Let the device work off what waits for it."""
        until(lambda: device.poll() == 0, seconds=20)

    # What the server says

    def entries(self, device: Device) -> list[dict[str, Any]]:
        """Every entry of a device, the newest first."""
        return self.inside.call("entries", udid=device.udid)

    def entry(self, device: Device) -> dict[str, Any]:
        return self.entries(device)[0]

    def state(self, device: Device) -> str:
        return self.entry(device)["state"]

    def order(self, device: Device, action: str, **arguments: Any) -> None:
        """Have an administrator act: check_in, lock, retire, wipe, cancel."""
        self.administrator.order(device.udid, action, **arguments)


def _kind(kind: str) -> str:
    return {"iphone": "iPhone", "ipad": "iPad"}[kind]
