"""Sets a new server up: the organisation, its keys, and the first owner."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils.text import slugify

from accounts.models import User
from accounts.services import tenants
from core.models import Tenant
from devices.models import Device


@dataclass(frozen=True)
class Installation:
    """`password` is to be shown now and never again; empty when the owner was there before."""

    tenant: Tenant
    owner: User
    password: str


class AddressChanged(Exception):
    """Devices are enrolled under another public URL than the configured one."""

    def __init__(self, enrolled_url: str) -> None:
        self.enrolled_url = enrolled_url
        super().__init__(enrolled_url)


def install() -> Installation:
    """Found the organisation and its first owner, or complete what is there. Idempotent.

    The owner comes from MUSTER_ADMIN_EMAIL and MUSTER_ADMIN_PASSWORD; without a password a
    one-time password is made. Raises ValidationError for an unfit address or password.
    """
    if settings.MUSTER_ADMIN_PASSWORD:
        validate_password(settings.MUSTER_ADMIN_PASSWORD)
    existing = tenants.current()
    tenant = tenants.found(
        name=existing.name if existing else settings.MUSTER_TENANT_NAME,
        slug=existing.slug if existing else slugify(settings.MUSTER_TENANT_NAME)[:40] or "main",
    )
    owner, shown = tenants.first_owner(
        tenant=tenant,
        email=settings.MUSTER_ADMIN_EMAIL,
        password=settings.MUSTER_ADMIN_PASSWORD,
    )
    return Installation(tenant, owner, "" if settings.MUSTER_ADMIN_PASSWORD else shown)


def refuse_changed_address() -> None:
    """Raise AddressChanged when enrolled devices know this server by another public URL.

    ServerURL, CheckInURL and Topic of a device are fixed at its enrollment: it would be lost.
    """
    for tenant in Tenant.objects.exclude(enrolled_public_url=""):
        is_changed = tenant.enrolled_public_url != settings.MUSTER_PUBLIC_URL
        if is_changed and Device.objects.filter(tenant=tenant).managed().exists():
            raise AddressChanged(tenant.enrolled_public_url)
