"""Refuses to start with settings that would make the server unsafe, and says how to mend them."""

from __future__ import annotations

import base64
import ipaddress
import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from core.secrets import parse_kek

SHORTEST_SECRET_KEY = 32
FEWEST_DISTINCT_CHARACTERS = 10
# What stands in examples and tutorials; anybody can look it up.
SAMPLE = re.compile(
    r"change.?me|your.?secret|insecure|example|replace.?(this|me)|sample|^(secret|password)",
    re.IGNORECASE,
)
MAKE_KEY = "python3 -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'"


def is_loopback(host: str) -> bool:
    """Say whether a host name or address can only mean this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_secret_key() -> list[CheckMessage]:
    key = settings.SECRET_KEY
    if len(key) < SHORTEST_SECRET_KEY or len(set(key)) < FEWEST_DISTINCT_CHARACTERS:
        fault = "is missing" if not key else "is too short or too simple"
    elif SAMPLE.search(key):
        fault = "is the sample of an example file"
    else:
        return []
    hint = f"Set it to a random value of its own, for example from: {MAKE_KEY}"
    return [Error(f"SECRET_KEY {fault}.", hint=hint, id="mdm.E001")]


def check_kek() -> list[CheckMessage]:
    hint = (
        f"Make one with: {MAKE_KEY} and keep a copy outside this server: without it no backup "
        "can be read."
    )
    try:
        parse_kek(settings.MUSTER_KEK)
    except ImproperlyConfigured as error:
        return [Error(str(error), hint=hint, id="mdm.E002")]
    keys = [base64.b64decode(part) for part in settings.MUSTER_KEK.split(",") if part.strip()]
    if any(len(set(key)) < FEWEST_DISTINCT_CHARACTERS for key in keys):
        return [Error("MUSTER_KEK is too simple to be random.", hint=hint, id="mdm.E002")]
    return []


def check_public_url() -> list[CheckMessage]:
    url = urlsplit(settings.MUSTER_PUBLIC_URL)
    if url.scheme not in ("http", "https") or not url.hostname or url.username:
        return [_url_error("is not a web address")]
    if url.path.strip("/") or url.query or url.fragment:
        return [_url_error("must be a bare address, without a path")]
    if url.scheme == "http" and not is_loopback(url.hostname):
        return [_url_error("is plain http: passwords and profiles would travel in the clear")]
    return []


def check_debug() -> list[CheckMessage]:
    host = urlsplit(settings.MUSTER_PUBLIC_URL).hostname or ""
    if not settings.DEBUG or is_loopback(host):
        return []
    hint = "Remove DEBUG from the environment: its error pages show secrets to anybody."
    return [Error("DEBUG is on and the server is public.", hint=hint, id="mdm.E004")]


def check_mfa() -> list[CheckMessage]:
    if settings.MUSTER_REQUIRE_ADMIN_MFA:
        return []
    hint = "Remove MUSTER_REQUIRE_ADMIN_MFA from the environment to require it again."
    return [Warning("Administrators can sign in with a password alone.", hint=hint, id="mdm.W001")]


REFUSALS = (check_secret_key, check_kek, check_public_url, check_debug)


@register()
def check_settings(**kwargs: object) -> list[CheckMessage]:
    return [message for check in (*REFUSALS, check_mfa) for message in check()]


def refuse_unsafe_settings() -> None:
    """Raise ImproperlyConfigured unless the settings are safe to serve with.

    Called by every process that starts without a management command's own checks.
    """
    found = [message for check in REFUSALS for message in check()]
    if found:
        raise ImproperlyConfigured(" ".join(f"{one.msg} {one.hint}" for one in found))


def _url_error(fault: str) -> CheckMessage:
    return Error(
        f"MUSTER_PUBLIC_URL {fault} ({settings.MUSTER_PUBLIC_URL}).",
        hint="Set it to the https address that devices and people use, for example "
        "https://mdm.example.com. Plain http is accepted for localhost only.",
        id="mdm.E003",
    )
