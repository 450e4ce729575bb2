"""Founds an organisation with its roles, settings and first administrator."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import transaction

from accounts import grouping
from accounts.access import READY_MADE_ROLES
from accounts.models import Role, User, UserSettings
from accounts.services import groups
from core import history
from core.actors import Actor
from core.models import Tenant
from core.services import keys


@transaction.atomic
def found(*, name: str, slug: str, language: str = "en") -> Tenant:
    """Create a tenant, or complete one that exists: roles, default settings, built-in groups,
    keys. Idempotent."""
    actor = Actor.system("bootstrap")
    tenant, is_new = Tenant.objects.get_or_create(
        slug=slug, defaults={"name": name, "language": language}
    )
    for role in READY_MADE_ROLES:
        Role.objects.update_or_create(
            tenant=tenant,
            key=role.key,
            defaults={
                "name": str(role.key),
                "permissions": sorted(role.permissions),
                "is_builtin": True,
            },
        )
    UserSettings.objects.get_or_create(tenant=tenant, is_default=True)
    for shape in grouping.shapes():
        groups.create_builtin(shape=shape, tenant=tenant)
    keys.create_tenant_keys(tenant=tenant, actor=actor)
    if is_new:
        history.record(tenant, "core.tenant.created", actor=actor)
    return tenant


@transaction.atomic
def first_owner(*, tenant: Tenant, email: str, password: str = "") -> tuple[User, str]:
    """Create the first owner unless the tenant has one; returns it and the password to show.

    Without a `password` a random one is made, which must be changed at the first sign-in. The
    returned password is empty when nothing was created.
    """
    existing = User.objects.filter(tenant=tenant, roles__key="owner").first()
    if existing is not None:
        return existing, ""
    shown = password or secrets.token_urlsafe(12)
    user = User(tenant=tenant, email=email.strip().lower(), must_change_password=not password)
    user.set_password(shown)
    user.full_clean(exclude=["password"])
    user.save()
    user.roles.add(Role.objects.get(tenant=tenant, key="owner"))
    history.record(user, "accounts.user.created", actor=Actor.system("bootstrap"))
    return user, shown


def current() -> Tenant | None:
    """Return the tenant of a server that has one; None before bootstrap. One query."""
    return Tenant.objects.order_by("created_at").first()


def url_of(tenant: Tenant) -> str:
    """Return where the people of an organisation open its pages; one query at most.

    That is the public address, with the organisation's own host in it where several
    organisations have their hosts on one server. Never taken from a request.
    """
    public = settings.MUSTER_PUBLIC_URL
    parts = urlsplit(public)
    if not tenant.hosts or parts.hostname in tenant.hosts:
        return public
    # A server with one organisation answers on any host, and is known by its public address.
    if not Tenant.objects.exclude(pk=tenant.pk).exists():
        return public
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, f"{tenant.hosts[0]}{port}", "", "", ""))


def for_host(host: str) -> Tenant | None:
    """Return the tenant of an anonymous page, by the configured host name; one query.

    A server with one tenant answers on any configured host.
    """
    tenants = list(Tenant.objects.order_by("created_at")[:200])
    if len(tenants) == 1:
        return tenants[0]
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    named = [tenant for tenant in tenants if name.lower() in tenant.hosts]
    public = settings.MUSTER_PUBLIC_URL.split("//", 1)[-1].split(":")[0].split("/")[0]
    if not named and name.lower() == public and tenants:
        return tenants[0]
    return named[0] if named else None
