"""Reads e-mail addresses as people type and paste them; no I/O."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

MAX_LENGTH = 254
MAX_LOCAL = 64
_BETWEEN = re.compile(r"[\s,;]+")
_NAMED = re.compile(r"^[^<>]*<([^<>]+)>$")


def split(text: str) -> list[str]:
    """Return the addresses of a text field: separated by commas, semicolons, spaces or lines.

    ``Ada Lovelace <ada@example.org>`` is read as the address in it.
    """
    found = []
    for line in re.split(r"[\n,;]+", text):
        named = _NAMED.match(line.strip())
        found += [named[1]] if named else filter(None, _BETWEEN.split(line))
    return [item.strip() for item in found if item.strip()]


def normalise(address: str) -> str:
    """Return an address as it is stored: lower case, the domain in its ASCII form (RFC 5891).

    Raises ValidationError for anything that a mail server, or we, would not take.
    """
    text = address.strip(" \t")
    # Line breaks would reach the headers of a mail.
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValidationError(_("There is a line break or another control character in it."))
    if len(text) > MAX_LENGTH:
        raise ValidationError(_("It is longer than 254 characters."))
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise ValidationError(_("It is not an e-mail address."))
    if len(local) > MAX_LOCAL:
        raise ValidationError(_("The part before the @ is longer than 64 characters."))
    if not local.isascii():
        raise ValidationError(_("There is a letter before the @ that mail servers do not take."))
    normal = f"{local}@{_ascii_domain(domain)}".lower()
    try:
        validate_email(normal)
    except ValidationError as error:
        raise ValidationError(_("It is not an e-mail address.")) from error
    return normal


def comparable(address: str) -> str:
    """Return what to look an address up by; whatever was typed, it never fails."""
    try:
        return normalise(address)
    except ValidationError:
        return address.strip().lower()[:MAX_LENGTH]


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValidationError(_("The part after the @ is not a name of the internet.")) from error
