"""What the push tests are made of: a certificate in place, channels with tokens."""

from __future__ import annotations

import datetime as dt
from functools import cache

from apple.gateways.apns_tls import Credentials
from apple.protocol.push_certificate import PushCertificate
from apple.services import push_store, tokens
from core import clock
from devices.models import Channel
from tests import factories
from tests.fakes.certificates import Authority, Issued

TOPIC = "com.apple.mgmt.External.11111111-2222-3333-4444-555555555555"
OTHER_TOPIC = "com.apple.mgmt.External.99999999-2222-3333-4444-555555555555"
MAGIC = "magic-of-the-channel"


@cache
def issued(authority: Authority, topic: str = TOPIC, *, is_expired: bool = False) -> Issued:
    """A push certificate of the authority; RSA keys are slow, so the same one for everybody."""
    return authority.push(topic, is_expired=is_expired)


def credentials(of: Issued) -> Credentials:
    return Credentials(push_store.sha256(of.certificate), of.certificate, of.key)


def install(tenant, of: Issued, *, topic: str = TOPIC, **data):
    """Put a certificate in place as an upload would."""
    read = PushCertificate(of.certificate, (), topic)
    return push_store.store(tenant, of.key, certificate=read, data=data)


def proven() -> dict[str, str]:
    """The mark of a certificate that Apple accepted lately: no canaries are sent ahead."""
    return {"accepted_at": clock.now().isoformat()}


def token_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


def channel(tenant, number: int, *, topic: str = TOPIC, due: bool = True, **fields) -> Channel:
    """The channel of an active device that is to be pushed now."""
    device = factories.device(tenant)
    row = device.channels.get()
    credentials = tokens.PushCredentials(token=token_of(number), magic=MAGIC)
    row.sealed_push = tokens.seal_push(row.pk, credentials)
    row.push_token_sha256 = credentials.token_sha256
    row.push_topic = topic
    row.token_updated_at = clock.now() - dt.timedelta(hours=1)
    row.push_due_at = clock.now() - dt.timedelta(seconds=1) if due else None
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    return row


def seconds_until(moment: dt.datetime) -> float:
    return (moment - clock.now()).total_seconds()
