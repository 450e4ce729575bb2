"""What the tests of reminders are made of: credentials, apps and browsers that take pushes."""

from __future__ import annotations

import itertools
import json
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from core import clock
from core.actors import Actor
from enrollment.models import AppPush, ClientInstallation
from enrollment.services import push_addresses, push_keys
from tests.fakes.apns_app_rules import DeveloperKey
from tests.fakes.fcm import Account

KEY_ID, TEAM_ID, TOPIC = "ABC123DEFG", "TEAM123456", "com.acme.registration"
EMAIL, PRIVATE_KEY_ID = "push@acme-registration.iam.gserviceaccount.com", "0123456789abcdef0123"
ACTOR = Actor("user", "1", "olga.owner@acme.test")
_numbers = itertools.count(1)


@cache
def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def developer_key(**changes) -> DeveloperKey:
    facts = {
        "key_id": KEY_ID,
        "team_id": TEAM_ID,
        "public_key": p256().public_key(),
        "topics": frozenset({TOPIC}),
    }
    return DeveloperKey(**facts | changes)


def account() -> Account:
    return Account(EMAIL, PRIVATE_KEY_ID, rsa_key().public_key())


def service_account(**changes) -> bytes:
    """The JSON file that the Firebase console gives out."""
    facts = {
        "type": "service_account",
        "project_id": "acme-registration",
        "private_key_id": PRIVATE_KEY_ID,
        "private_key": pem(rsa_key()).decode(),
        "client_email": EMAIL,
        "client_id": "1234567890",
        "universe_domain": "googleapis.com",
    }
    return json.dumps(facts | changes).encode()


def install_apns(tenant, **changes):
    facts = {"key_id": KEY_ID, "team_id": TEAM_ID, "topic": TOPIC, "content": pem(p256())}
    return push_keys.install_apns(tenant=tenant, actor=ACTOR, **facts | changes)


def install_fcm(tenant, **changes):
    return push_keys.install_fcm(tenant=tenant, content=service_account(**changes), actor=ACTOR)


def at_noon(user) -> None:
    """Let a person live where it is about noon now, so that reminders may be sent."""
    ahead = 12 - clock.now().hour
    user.time_zone = f"Etc/GMT{-ahead:+d}" if ahead else "UTC"
    user.save(update_fields=["time_zone"])


def app(user, kind=AppPush.APNS, *, token: str = "", session=None, **facts) -> ClientInstallation:
    """The organisation's app on a phone of the person, which takes pushes."""
    number = next(_numbers)
    row = ClientInstallation.objects.create(
        tenant=user.tenant,
        user=user,
        session=session,
        platform="iphone" if kind == AppPush.APNS else "android",
        token_hash=f"{number:064x}",
        facts=facts,
    )
    token = token or (f"{number:064x}" if kind == AppPush.APNS else f"fcm-token-{number:020d}")
    return push_addresses.keep_app_token(installation=row, kind=kind, token=token)
