"""How often somebody may try: budgets of wrong PINs, locks of accounts, mails asked for."""

from __future__ import annotations

import uuid

from core import history, net, ratelimit
from core.actors import Actor
from core.models import Tenant
from enrollment.errors import RequestedTooOften, TooManyTries

HOUR = 3600
# Wrong PINs, over all people: a guess at each of many invitations must not go unnoticed.
NETWORK_PINS = 50
TENANT_PINS = 500
# Wrong passwords: the account locks wherever they come from.
ACCOUNT_TRIES = 5
NETWORK_TRIES = 50
LOCK_SECONDS = 300
STARTS_PER_NETWORK = 300
STARTS_PER_INVITATION = 30
CODES_PER_PERSON = 40
SCANS_PER_NETWORK = 300
MAILS_PER_PERSON = 5
MAIL_PAUSE_SECONDS = 60
MAILS_PER_NETWORK = 60


def take_pin_try(tenant: Tenant, ip: str) -> None:
    """Count a PIN against the budgets of its network and of the organisation.

    Counted before the PIN is compared, so that many at once cannot slip through; `give_pin_try`
    after a right one. Raises TooManyTries, and tells the history once an hour.
    """
    network = net.network_of(ip)
    if not ratelimit.allow(
        "pin-network", _key(tenant, network), capacity=NETWORK_PINS, refill_seconds=HOUR
    ):
        _alert(tenant, "network", network)
        raise TooManyTries(HOUR // NETWORK_PINS * 5)
    if not ratelimit.allow("pin-tenant", str(tenant.pk), capacity=TENANT_PINS, refill_seconds=HOUR):
        _alert(tenant, "organisation", network)
        raise TooManyTries(LOCK_SECONDS)


def give_pin_try(tenant: Tenant, ip: str) -> None:
    """Give back what a right PIN took."""
    network = net.network_of(ip)
    ratelimit.give_back("pin-network", _key(tenant, network), capacity=NETWORK_PINS)
    ratelimit.give_back("pin-tenant", str(tenant.pk), capacity=TENANT_PINS)


def take_sign_in(tenant: Tenant, email: str, ip: str, *, known: str = "") -> None:
    """Count a sign-in of an address, known or not, and of a network. Raises TooManyTries.

    `known` names the browser, where the person has signed in from it before: its tries count
    apart, so that strangers cannot lock it out.
    """
    network = net.network_of(ip)
    is_allowed = ratelimit.allow(
        "go-network", _key(tenant, network), capacity=NETWORK_TRIES, refill_seconds=LOCK_SECONDS
    )
    if not is_allowed:
        _alert(tenant, "sign_in", network)
        raise TooManyTries(LOCK_SECONDS)
    wait = ratelimit.strike(
        "go-account", _account(tenant, email, known), limit=ACCOUNT_TRIES, seconds=LOCK_SECONDS
    )
    if wait:
        _alert(tenant, "account", network)
        raise TooManyTries(wait)


def give_sign_in(tenant: Tenant, email: str, ip: str, *, known: str = "") -> None:
    """Forget the tries of an address that signed in, and this one of its network."""
    ratelimit.forgive("go-account", _account(tenant, email, known))
    ratelimit.give_back("go-network", _key(tenant, net.network_of(ip)), capacity=NETWORK_TRIES)


def take_start(begun_by: uuid.UUID, tenant: Tenant, ip: str) -> None:
    """Count a beginning, by an invitation or a person who is signed in. Raises TooManyTries."""
    network = _key(tenant, net.network_of(ip))
    is_allowed = ratelimit.allow(
        "go-start", str(begun_by), capacity=STARTS_PER_INVITATION, refill_seconds=HOUR
    ) and ratelimit.allow(
        "go-start-network", network, capacity=STARTS_PER_NETWORK, refill_seconds=HOUR
    )
    if not is_allowed:
        raise TooManyTries(LOCK_SECONDS)


def take_code(user_id: uuid.UUID) -> None:
    """Count a code that a person makes for the camera of a phone. Raises TooManyTries."""
    if not ratelimit.allow("go-code", str(user_id), capacity=CODES_PER_PERSON, refill_seconds=HOUR):
        raise TooManyTries(LOCK_SECONDS)


def take_scan(ip: str) -> None:
    """Count a code that somebody redeems. Raises TooManyTries."""
    if not ratelimit.allow(
        "go-scan", net.network_of(ip), capacity=SCANS_PER_NETWORK, refill_seconds=HOUR
    ):
        raise TooManyTries(LOCK_SECONDS)


def may_mail(tenant: Tenant, email: str) -> bool:
    """Say whether a person may be sent another mail that somebody asked for on the pages."""
    key = _key(tenant, email)
    return ratelimit.allow(
        "go-mail-pause", key, capacity=1, refill_seconds=MAIL_PAUSE_SECONDS
    ) and ratelimit.allow("go-mail", key, capacity=MAILS_PER_PERSON, refill_seconds=24 * HOUR)


def take_mail(tenant: Tenant, email: str) -> None:
    """Count a mail that the holder of a link asks for. Raises RequestedTooOften."""
    if not may_mail(tenant, email):
        raise RequestedTooOften


def take_network_mail(tenant: Tenant, ip: str) -> None:
    """Count a mail that anybody asks for on the open page. Raises TooManyTries."""
    network = _key(tenant, net.network_of(ip))
    if not ratelimit.allow(
        "go-mail-network", network, capacity=MAILS_PER_NETWORK, refill_seconds=HOUR
    ):
        raise TooManyTries(LOCK_SECONDS)


def _account(tenant: Tenant, email: str, known: str) -> str:
    return _key(tenant, email) + (f"\0{known}" if known else "")


def _key(tenant: Tenant, key: str) -> str:
    return f"{tenant.pk}\0{key.strip().lower()[:254]}"


def _alert(tenant: Tenant, scope: str, network: str) -> None:
    """Tell the administrators in the history, once an hour for each network."""
    if ratelimit.allow("go-alert", _key(tenant, scope + network), capacity=1, refill_seconds=HOUR):
        history.record(
            tenant,
            "enrollment.tries.exceeded",
            actor=Actor.system("limits"),
            data={"scope": scope, "network": network},
        )
