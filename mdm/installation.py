"""Sets a new server up: the organisation, its keys, and the first owner."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils.text import slugify

from accounts.models import User
from accounts.services import tenants
from core.models import Tenant
from devices.models import Device
from mdm.checks import is_loopback


@dataclass(frozen=True)
class Installation:
    """`password` is to be shown now and never again; empty when the owner was there before."""

    tenant: Tenant
    owner: User
    password: str


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
    _forget_trial_address(tenant)
    owner, shown = tenants.first_owner(
        tenant=tenant,
        email=settings.MUSTER_ADMIN_EMAIL,
        password=settings.MUSTER_ADMIN_PASSWORD,
    )
    return Installation(tenant, owner, "" if settings.MUSTER_ADMIN_PASSWORD else shown)


def changed_address() -> str:
    """Return the public URL that enrolled devices know, if it is not the configured one; else "".

    ServerURL, CheckInURL and Topic of a device are fixed at its enrollment: it would be lost.
    Only simulated devices can have enrolled under a loopback address, and those are thrown away.
    """
    for tenant in Tenant.objects.exclude(enrolled_public_url=""):
        known = tenant.enrolled_public_url
        if known == settings.MUSTER_PUBLIC_URL or is_loopback(urlsplit(known).hostname or ""):
            continue
        if Device.objects.filter(tenant=tenant).managed().exists():
            return known
    return ""


def _forget_trial_address(tenant: Tenant) -> None:
    known = tenant.enrolled_public_url
    is_trial = bool(known) and is_loopback(urlsplit(known).hostname or "")
    if is_trial and known != settings.MUSTER_PUBLIC_URL:
        Tenant.objects.filter(pk=tenant.pk).update(enrolled_public_url="")
