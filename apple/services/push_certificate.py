"""The push certificate of a tenant: ask for one, install it, renew it, tell how it stands."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from django.db import transaction

from apple.errors import (
    PushCertificateKnown,
    PushCertificateUnusable,
    PushKeyMismatch,
    PushNotConfigured,
    TopicChange,
)
from apple.protocol import push_certificate as files
from apple.services import push_health, push_store
from core import clock, history
from core.actors import Actor
from core.models import StoredKey, Tenant
from core.pki import keys as pki_keys
from devices.models import Channel, Device
from devices.states import MANAGED

EXPIRING = dt.timedelta(days=60)
CLOCK_SKEW = dt.timedelta(minutes=10)
PRACTICE_VALIDITY = dt.timedelta(days=3650)
MAX_OPEN_REQUESTS = 5


class PushState(enum.StrEnum):
    NONE = "none"
    REQUESTED = "requested"
    PRACTICE = "practice"
    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class PushStatus:
    """How a tenant can push. `row` is the certificate in use, `request` the newest open request.

    `paused` is Apple's refusal, `trouble` what lately went wrong on the way: reason, since when.
    """

    state: PushState
    row: StoredKey | None = None
    request: StoredKey | None = None
    topic: str = ""
    not_after: dt.datetime | None = None
    days_left: int | None = None
    paused_reason: str = ""
    paused_since: dt.datetime | None = None
    trouble_reason: str = ""
    trouble_since: dt.datetime | None = None

    @property
    def reaches_real_devices(self) -> bool:
        return self.state in (PushState.VALID, PushState.EXPIRING)


@transaction.atomic
def request(*, tenant: Tenant, actor: Actor) -> StoredKey:
    """Make a key and a signing request for it (`data["csr"]`, PEM); the key stays here, sealed.

    A few earlier requests stay answerable, so that whoever sent one to Apple is not stranded.
    """
    key = pki_keys.generate_rsa(2048)
    csr = files.signing_request(key, organisation=tenant.name).decode()
    row = push_store.store(tenant, key, data={"csr": csr})
    stale = push_store.open_requests(tenant.pk)[MAX_OPEN_REQUESTS:]
    StoredKey.objects.filter(pk__in=[old.pk for old in stale]).update(retired_at=clock.now())
    history.record(row, "apple.push_request.created", actor=actor)
    return row


@transaction.atomic
def upload(*, tenant: Tenant, content: bytes, actor: Actor, confirmation: str = "") -> StoredKey:
    """Install the certificate that Apple made from one of our requests.

    A renewal replaces the certificate of the same topic. Another topic takes the name of the
    organisation as `confirmation` when devices listen on the old one: they would have to enroll
    again. Raises PushCertificateUnusable, PushKeyMismatch, PushCertificateKnown, TopicChange.
    """
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    certificate = _read(content)
    source = push_store.row_of_key(tenant, certificate.public_key_sha256)
    if source is None:
        raise PushKeyMismatch
    if StoredKey.objects.filter(sha256=push_store.sha256(certificate.certificate)).exists():
        raise PushCertificateKnown
    stranded = _stranded(tenant, certificate.topic)
    if stranded and confirmation.strip() != tenant.name:
        raise TopicChange(count=stranded)
    row = push_store.store(tenant, push_store.private_key(source), certificate=certificate, data={})
    _retire_replaced(tenant, row)
    data = {"topic": certificate.topic, "sha256": row.sha256, "devices_left_behind": stranded}
    data["not_after"] = certificate.certificate.not_valid_after_utc.isoformat()
    history.record(row, "apple.push_certificate.installed", actor=actor, data=data)
    push_health.release_waiting(tenant_id=tenant.pk, topic=certificate.topic)
    return row


@transaction.atomic
def install_practice(*, tenant: Tenant, actor: Actor | None = None) -> StoredKey | None:
    """Make a self-signed certificate so that simulated devices can enroll; None if one exists.

    Nothing is ever sent to Apple with it.
    """
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    if push_store.certificates(tenant.pk):
        return None
    key, now = pki_keys.generate_rsa(2048), clock.now()
    certificate = files.practice_certificate(
        key,
        name=tenant.pk.hex,
        not_before=now - CLOCK_SKEW,
        not_after=now + PRACTICE_VALIDITY,
    )
    read = files.PushCertificate(certificate, (), files.topic_of(certificate))
    row = push_store.store(tenant, key, certificate=read, data={"is_practice": True})
    history.record(
        row, "apple.push_certificate.practice_installed", actor=actor or Actor.system("bootstrap")
    )
    return row


def topic_for(tenant: Tenant) -> str:
    """Return the topic that goes into new enrollment profiles. Raises PushNotConfigured."""
    found = push_store.certificates(tenant.pk)
    if not found:
        raise PushNotConfigured
    return push_store.topic_of(found[0])


def status(tenant: Tenant) -> PushStatus:
    """Tell how a tenant can push, for pages, the API and the operator. Two queries."""
    found, requests = push_store.certificates(tenant.pk), push_store.open_requests(tenant.pk)
    open_request = requests[0] if requests else None
    if not found:
        state = PushState.REQUESTED if open_request else PushState.NONE
        return PushStatus(state, request=open_request)
    row = found[0]
    paused, trouble = row.data.get("paused") or {}, row.data.get("trouble") or {}
    return PushStatus(
        state=_state(row),
        row=row,
        request=open_request,
        topic=push_store.topic_of(row),
        not_after=row.not_after,
        days_left=(row.not_after - clock.now()).days if row.not_after else None,
        paused_reason=paused.get("reason", ""),
        paused_since=push_health.moment(paused.get("since")),
        trouble_reason=trouble.get("reason", ""),
        trouble_since=push_health.moment(trouble.get("since")),
    )


def _state(row: StoredKey) -> PushState:
    left = row.not_after - clock.now() if row.not_after else dt.timedelta(0)
    if push_store.is_practice(row):
        return PushState.PRACTICE
    if left <= dt.timedelta(0):
        return PushState.EXPIRED
    if row.data.get("paused"):
        return PushState.PAUSED
    return PushState.EXPIRING if left <= EXPIRING else PushState.VALID


def _read(content: bytes) -> files.PushCertificate:
    try:
        certificate = files.read(content)
    except files.PushFileError as error:
        raise PushCertificateUnusable(error.code) from error
    now = clock.now()
    if certificate.certificate.not_valid_after_utc <= now:
        raise PushCertificateUnusable("expired")
    if certificate.certificate.not_valid_before_utc > now + CLOCK_SKEW:
        raise PushCertificateUnusable("not_yet_valid")
    return certificate


def _stranded(tenant: Tenant, topic: str) -> int:
    """Count the real devices that listen on the topics in use, when `topic` is a new one."""
    rows = push_store.certificates(tenant.pk)
    in_use = {push_store.topic_of(row) for row in rows if not push_store.is_practice(row)}
    if topic in in_use:
        return 0
    listening = Channel.objects.filter(push_topic__in=in_use)
    devices = Device.objects.current().filter(tenant=tenant, state__in=MANAGED)
    return devices.filter(pk__in=listening.values("device")).count()


def _retire_replaced(tenant: Tenant, row: StoredKey) -> None:
    """End the open requests and the older certificate of the same topic."""
    topic = push_store.topic_of(row)
    rows = (*push_store.certificates(tenant.pk), *push_store.open_requests(tenant.pk))
    replaced = [
        old.pk for old in rows if old.pk != row.pk and old.data.get("topic", topic) == topic
    ]
    StoredKey.objects.filter(pk__in=replaced).update(retired_at=clock.now())
