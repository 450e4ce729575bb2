"""Browsers in which somebody has signed in before: strangers who guess cannot lock them out there.

The cookie opens nothing. It says that an address was signed in from this browser, so that tries
from here are counted apart from those of everybody else.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "known-device"
TTL = dt.timedelta(days=180)
MAX_COOKIE = 400


@dataclass(frozen=True, slots=True)
class Known:
    """One browser, and for whose address it is known."""

    address: str = ""
    name: str = ""

    def key_for(self, email: str) -> str:
        """Return what tries with this address are counted by; "" where it is not known here."""
        return self.name if constant_time_compare(self.address, _of(email)) else ""


NOBODY = Known()


def read(request: HttpRequest) -> Known:
    """Return what the cookie of a browser proves; NOBODY for none, an old or a forged one."""
    cookie = request.COOKIES.get(settings.KNOWN_COOKIE_NAME, "")
    if not cookie or len(cookie) > MAX_COOKIE:
        return NOBODY
    try:
        address, name = signing.loads(cookie, salt=SALT, max_age=TTL)
    except (signing.BadSignature, ValueError):
        return NOBODY
    return Known(address, name)


def note(request: HttpRequest, response: HttpResponseBase, email: str) -> None:
    """Remember that somebody signed in from this browser; it is known for one address at a time.

    The name stays, so that signing in does not give new tries.
    """
    name = read(request).key_for(email) or secrets.token_urlsafe(12)
    response.set_cookie(
        settings.KNOWN_COOKIE_NAME,
        signing.dumps([_of(email), name], salt=SALT),
        max_age=int(TTL.total_seconds()),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _of(email: str) -> str:
    return salted_hmac(SALT, email.strip().lower(), algorithm="sha256").hexdigest()[:32]
