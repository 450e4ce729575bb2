"""A mail server on loopback that keeps what it gets and refuses on request."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.fakes.certificates import Issued
from tests.fakes.waiting import until

Stage = Literal["MAIL", "RCPT", "DATA"]
OK = "250 OK"


@dataclass(frozen=True)
class Mail:
    """One accepted message."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, _class=EmailMessage, policy=policy.default)

    @property
    def subject(self) -> str:
        return str(self.message["subject"])

    def part(self, subtype: Literal["plain", "html"] = "plain") -> str:
        """Return the text or the HTML of the message; "" when it has none."""
        found = self.message.get_body((subtype,))
        return str(found.get_content()) if found is not None else ""


@dataclass(frozen=True)
class Reply:
    """A refusal at one stage, for one recipient or ("") for everyone."""

    line: str
    stage: Stage = "RCPT"
    recipient: str = ""


@dataclass(frozen=True)
class Drop:
    """A connection that breaks after the last line of a mail and before the answer to it.

    With `is_kept` the mail was taken all the same, which the sender cannot know.
    """

    is_kept: bool = False


class FakeSMTP:
    """Start with `start()`, stop with `stop()`; accepted messages are in `mails`."""

    def __init__(
        self, *, certificate: Issued | None = None, username: str = "", password: str = ""
    ) -> None:
        self.mails: list[Mail] = []
        self.attempts = 0
        self.tarpit_seconds = 0.0
        self._once: deque[Reply] = deque()
        self._always: list[Reply] = []
        self._drops: deque[Drop] = deque()
        self._login = (username, password)
        self._controller = _Controller(self, _tls(certificate) if certificate else None)

    def start(self) -> FakeSMTP:
        self._controller.start()
        return self

    def stop(self) -> None:
        self._controller.stop()

    def __enter__(self) -> FakeSMTP:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @property
    def url(self) -> str:
        """The value for EMAIL_URL, without TLS and login."""
        return f"smtp://127.0.0.1:{self.port}"

    # Script

    def refuse_next(self, *replies: Reply) -> None:
        """Give each of `replies` once, when its stage (and recipient) comes."""
        self._once.extend(replies)

    def refuse_always(self, *replies: Reply) -> None:
        self._always.extend(replies)

    def drop_next(self, *drops: Drop) -> None:
        """Break the connections of the next mails before their 250."""
        self._drops.extend(drops)

    def clear(self) -> None:
        self.mails.clear()
        self._once.clear()
        self._drops.clear()
        self._always.clear()
        self.attempts, self.tarpit_seconds = 0, 0.0

    # Ledger

    def mails_to(self, address: str) -> list[Mail]:
        return [mail for mail in self.mails if address in mail.recipients]

    def wait_for(self, count: int = 1, *, to: str = "", seconds: float = 10) -> list[Mail]:
        """Wait until `count` messages came (to `to`), and return them."""

        def arrived() -> list[Mail]:
            found = self.mails_to(to) if to else list(self.mails)
            return found if len(found) >= count else []

        return until(arrived, seconds=seconds, what=f"{count} mails {to and 'to ' + to}")

    # aiosmtpd's hooks

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.attempts += 1
        if self.tarpit_seconds:
            await asyncio.sleep(self.tarpit_seconds)
        refusal = self._refusal("MAIL", address)
        if not refusal:
            envelope.mail_from = address
        return refusal or OK

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self._refusal("RCPT", address)
        if not refusal:
            envelope.rcpt_tos.append(address)
        return refusal or OK

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        refusal = self._refusal("DATA", ",".join(envelope.rcpt_tos))
        if refusal:
            return refusal
        drop = self._drops.popleft() if self._drops else None
        if drop is None or drop.is_kept:
            content = envelope.content
            raw = content if isinstance(content, bytes) else str(content).encode()
            self.mails.append(Mail(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw))
        if drop is not None:
            server.transport.abort()
        return OK

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        is_known = isinstance(data, LoginPassword) and self._login == (
            data.login.decode(),
            data.password.decode(),
        )
        return AuthResult(success=is_known, handled=False)

    @property
    def wants_login(self) -> bool:
        return any(self._login)

    def _refusal(self, stage: Stage, address: str) -> str:
        for reply in self._once:
            if reply.stage == stage and reply.recipient in address:
                self._once.remove(reply)
                return reply.line
        lines = (r.line for r in self._always if r.stage == stage and r.recipient in address)
        return next(lines, "")


class _Controller(Controller):
    """Listens on a port that the system chooses, so that parallel runs cannot collide."""

    def __init__(self, service: FakeSMTP, tls: ssl.SSLContext | None) -> None:
        self._service, self._tls = service, tls
        super().__init__(service, hostname="127.0.0.1", port=0)

    def factory(self) -> SMTP:
        return SMTP(
            self._service,
            tls_context=self._tls,
            require_starttls=self._tls is not None,
            authenticator=self._service.authenticate if self._service.wants_login else None,
            auth_required=self._service.wants_login,
            auth_require_tls=self._tls is not None,
            enable_SMTPUTF8=True,
        )

    def _create_server(self) -> object:
        return self._listen()

    async def _listen(self) -> asyncio.Server:
        server = await self.loop.create_server(self._factory_invoker, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server


def _tls(certificate: Issued) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*certificate.write(Path(folder), "smtp"))
    return context
