"""Builders of rows for tests: plain functions, sensible defaults, everything can be overridden."""

from __future__ import annotations

import itertools
from functools import cache

from accounts.access import READY_MADE_ROLES
from accounts.models import ApiToken, Role, User, UserSettings
from accounts.services import tokens
from core import clock, ids
from core.models import Tenant
from core.pki import keys as pki_keys
from devices.models import Channel, ChannelState, Command, Device, DeviceContact, PhysicalDevice
from devices.states import DeviceState

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def tenant(slug: str = "", **fields) -> Tenant:
    """A tenant that is set up, with roles and settings, but without keys: see `with_keys`."""
    number = next(_numbers)
    slug = slug or f"tenant-{number}"
    defaults = {"name": f"Organisation {number}", "setup_finished_at": clock.now()}
    row = Tenant.objects.create(slug=slug, **(defaults | fields))
    for role in READY_MADE_ROLES:
        Role.objects.create(
            tenant=row,
            key=role.key,
            name=role.key,
            permissions=sorted(role.permissions),
            is_builtin=True,
        )
    UserSettings.objects.create(tenant=row)
    return row


@cache
def _ca_key():
    return pki_keys.generate_rsa(3072)


def with_keys(row: Tenant, monkeypatch) -> Tenant:
    """Give a tenant its real keys; the slow RSA key is made once per run and shared."""
    from core.actors import Actor
    from core.services import keys

    key = _ca_key()
    monkeypatch.setattr(keys.pki_keys, "generate_rsa", lambda bits: key)
    keys.create_tenant_keys(tenant=row, actor=Actor.system("tests"))
    return row


def user(in_tenant: Tenant, role: str = "", *, password: str | None = PASSWORD, **fields) -> User:
    number = next(_numbers)
    row = User(
        tenant=in_tenant, **{"email": f"person{number}@example.org", "first_name": "Ada"} | fields
    )
    row.set_password(password)
    row.save()
    if role:
        row.roles.add(Role.objects.get(tenant=in_tenant, key=role))
    return row


def device(in_tenant: Tenant, owner: User | None = None, **fields) -> Device:
    """An active iPhone with its device channel."""
    number = next(_numbers)
    physical = PhysicalDevice.objects.create(
        tenant=in_tenant, key=f"00008030-{number:016X}", serial=f"SERIAL{number:04d}"
    )
    defaults = {
        "platform": "iphone",
        "channel_kind": "apple",
        "state": DeviceState.ACTIVE,
        "name": f"iPhone {number}",
        "serial": physical.serial,
        "model": "iPhone16,1",
        "model_name": "iPhone 15 Pro",
        "os_version": "18.1",
        "enrolled_at": clock.now(),
        "session_id": ids.uuid7(),
    }
    row = Device.objects.create(
        tenant=in_tenant, physical=physical, user=owner, **defaults | fields
    )
    DeviceContact.objects.create(device=row, last_seen_at=clock.now())
    Channel.objects.create(
        device=row, kind=row.channel_kind, state=ChannelState.ACTIVE, push_topic="com.apple.mgmt.x"
    )
    return row


def command(of: Device, kind: str = "DeviceInformation", **fields) -> Command:
    import datetime as dt

    defaults = {
        "channel": of.channels.get(user_key=""),
        "epoch": of.epoch,
        "deadline_at": clock.now() + dt.timedelta(days=1),
        "requested_by": {"kind": "system", "id": "tests", "label": "tests"},
    }
    return Command.objects.create(tenant=of.tenant, device=of, kind=kind, **defaults | fields)


def token(owner: User, *scopes: str) -> tuple[ApiToken, str]:
    """An API token with the given scopes, or everything that its owner may."""
    return tokens.create(
        owner=owner,
        name="automation",
        scopes=scopes or sorted(owner.permissions),
        actor=owner.actor,
    )


def app_token(of: User) -> str:
    """The bearer token of a client app that a person signed in to, with an attempt of its own."""
    import hashlib
    import secrets

    from enrollment.models import ClientInstallation
    from enrollment.services import registration

    browser = registration.Browser(ip="203.0.113.50", platform="iphone")
    session = registration.enter_confirmed(user=of, browser=browser).session
    token = f"mcl_{secrets.token_urlsafe(32)}"
    ClientInstallation.objects.create(
        tenant=of.tenant,
        user=of,
        session=session,
        platform="iphone",
        token_hash=hashlib.sha256(token.encode()).hexdigest(),
    )
    return token
