"""Reading invitation mails: from the folder that a development server writes to, or by SMTP."""

from __future__ import annotations

import email
import email.policy
import re
import threading
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

LINK = re.compile(r"https?://[^\s<>\"]+/go/[A-Za-z2-7]+(?:/go)?")
# behind the word PIN, alone at the end of a line, perhaps in groups of digits
PIN = re.compile(r"\bPIN\b\D{0,120}?(?:^|:)\s*(\d(?:[ \u00a0]?\d){3,11})\s*$", re.M)
SEPARATOR = re.compile(rb"^-{79}\r?\n", re.M)  # between the messages of one Django mail file


@dataclass(frozen=True)
class Invitation:
    """What a person reads in an invitation mail."""

    recipient: str
    subject: str
    link: str
    pin: str | None
    text: str
    html: str


def read_invitation(message: EmailMessage) -> Invitation | None:
    """The link and the PIN from the text part, or None when the mail holds no link."""
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    text = plain.get_content() if plain is not None else ""
    link = LINK.search(text)
    if link is None:
        return None
    pin = PIN.search(text.replace(link[0], ""))
    return Invitation(
        recipient=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        link=link[0],
        pin=re.sub(r"\D", "", pin[1]) if pin else None,
        text=text,
        html=rich.get_content() if rich is not None else "",
    )


def parse_message(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    if not isinstance(message, EmailMessage):
        raise ValueError("not a mail")
    return message


class MailFolder:
    """The files of a mail folder such as var/mail, oldest first."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def messages(self) -> list[EmailMessage]:
        found = []
        if self.folder.is_dir():
            files = [path for path in self.folder.rglob("*") if path.is_file()]
            for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name)):
                parts = SEPARATOR.split(path.read_bytes())
                found += [parse_message(part) for part in parts if part.strip()]
        return found

    def invitations(self, recipient: str = "") -> list[Invitation]:
        return _invitations(self.messages(), recipient)


class SmtpInbox:
    """A handler for aiosmtpd's Controller that keeps what it receives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        with self._lock:
            self._messages.append(parse_message(envelope.content))
        return "250 OK"

    def messages(self) -> list[EmailMessage]:
        with self._lock:
            return list(self._messages)

    def invitations(self, recipient: str = "") -> list[Invitation]:
        return _invitations(self.messages(), recipient)


def _invitations(messages: list[EmailMessage], recipient: str) -> list[Invitation]:
    read = [read_invitation(message) for message in messages]
    wanted = recipient.casefold()
    return [item for item in read if item and wanted in item.recipient.casefold()]
