"""Enrolls devices that are recognised by what they report, not by a key that never changes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from core import clock, history
from core.actors import Actor
from core.models import Tenant
from devices.errors import NotSupported
from devices.models import Channel, ChannelState, Device, Ownership, PhysicalDevice
from devices.models.identifier import PhysicalIdentifier
from devices.reenrollment import ORDERS_WERE_DONE, Identifiers, keeps_one_entry
from devices.services import commands, entries, grouped, lifecycle
from devices.services.entries import Facts
from devices.states import DeviceState

MERGEABLE = frozenset({"android"})


@dataclass(frozen=True)
class Enrolled:
    """`is_linked`: an earlier entry was recognised. `is_same_entry`: it was taken up again."""

    device: Device
    is_linked: bool
    is_same_entry: bool


@transaction.atomic
def enroll(
    *,
    tenant: Tenant,
    platform: str,
    channel_kind: str,
    identifiers: Identifiers,
    user: User | None,
    session_id: uuid.UUID,
    facts: Facts,
    device_limit: int | None,
    actor: Actor,
    ownership: str = Ownership.NOT_SET,
) -> Enrolled:
    """Open the entry of an enrollment by the rule table of R58-R66; its state is enrolling.

    A device of this organisation that is recognised keeps one entry up to Android 9; from 10 on it
    gets a new one, and every earlier one is archived. Nothing is recognised across organisations.
    A device that hides what it is gets an entry that is not linked; `merge` joins it by hand.
    Raises DeviceLimitReached.
    """
    # The tenant's row is the lock: two messages about one device must not make two of it.
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    tokens = identifiers.tokens()
    known = _recognised(tenant, tokens)
    physical = known[0] if known else _new_physical(tenant, platform, facts)
    current = physical.entries.current().select_for_update(of=("self",)).first()
    if current is not None and keeps_one_entry(platform, facts.os_version):
        device = _take_up(current, user, session_id, facts, device_limit, actor)
        is_same_entry = True
    else:
        device = entries.open_entry(
            tenant=tenant,
            key=physical.key,
            platform=platform,
            channel_kind=channel_kind,
            user=user,
            session_id=session_id,
            facts=facts,
            device_limit=device_limit,
            actor=actor,
            ownership=ownership,
            ends=ORDERS_WERE_DONE,
        )
        is_same_entry = False
    for other in known[1:]:
        _set_aside(other, device, actor)
    _learn(physical, tokens)
    return Enrolled(device, is_linked=bool(known), is_same_entry=is_same_entry)


def _recognised(tenant: Tenant, tokens: frozenset[str]) -> list[PhysicalDevice]:
    """Return the devices that share an identifier, the one heard of last first."""
    found = PhysicalDevice.objects.filter(tenant=tenant, identifiers__token__in=tokens).distinct()
    newest = {
        physical.pk: physical.entries.order_by("-created_at")
        .values_list("created_at", flat=True)
        .first()
        or physical.created_at
        for physical in found
    }
    return sorted(found, key=lambda physical: newest[physical.pk], reverse=True)


def _new_physical(tenant: Tenant, platform: str, facts: Facts) -> PhysicalDevice:
    return PhysicalDevice.objects.create(
        tenant=tenant, key=f"{platform}:{uuid.uuid4().hex}", serial=facts.serial[:64]
    )


def _learn(physical: PhysicalDevice, tokens: frozenset[str]) -> None:
    """Keep new identifiers; one that another device was known by follows the newer enrollment."""
    for token in sorted(tokens):
        PhysicalIdentifier.objects.update_or_create(
            tenant_id=physical.tenant_id, token=token, defaults={"physical": physical}
        )


def _take_up(
    device: Device,
    user: User | None,
    session_id: uuid.UUID,
    facts: Facts,
    device_limit: int | None,
    actor: Actor,
) -> Device:
    """Begin a new epoch in the same entry: nothing that was asked of the old one holds."""
    if user is not None and device_limit is not None:
        entries.check_limit(user, device_limit, but=device)
    if device.user_id != (user.pk if user else None):
        grouped.part(device)
    before = {"state": device.state, "epoch": device.epoch, "person": _email(device.user)}
    commands.cancel_all(device, actor=actor)
    lifecycle.end_channels(device)
    now = clock.now()
    device.epoch += 1
    device.state, device.state_changed_at = DeviceState.ENROLLING, now
    device.user, device.session_id = user, session_id
    device.enrolled_at, device.ended_at, device.inventory_due_at = None, None, None
    device.sealed_pin, device.pin_set_at, device.groups_due_at = b"", None, now
    for name, value in entries.limited(facts).items():
        setattr(device, name, value)
    device.save()
    Channel.objects.filter(device=device, user_key="").update(state=ChannelState.ENROLLING)
    after = {"state": device.state, "epoch": device.epoch, "person": _email(user)}
    history.record(
        device,
        "devices.device.re_enrolled",
        actor=actor,
        data=history.changes(before, after),
    )
    return device


def _email(user: User | None) -> str | None:
    return user.email if user else None


def _set_aside(physical: PhysicalDevice, device: Device, actor: Actor) -> None:
    """Archive what turned out to be the same device under another identity."""
    for entry in physical.entries.current().select_for_update(of=("self",)):
        entries.archive(entry, actor=actor, ends=ORDERS_WERE_DONE)
        entries.succeed(entry, device)


@transaction.atomic
def merge(*, device: Device, earlier: Device, actor: Actor) -> Device:
    """Say by hand that a device which hid its identity is the same as an earlier entry's.

    The earlier entries are archived and become its predecessors. Raises NotSupported for entries
    of different organisations, kinds or one device, and where the channel knows by itself.
    """
    Tenant.objects.select_for_update().get(pk=device.tenant_id)
    device, earlier = lifecycle.locked(device.pk), lifecycle.locked(earlier.pk)
    is_possible = (
        device.tenant_id == earlier.tenant_id
        and device.platform == earlier.platform
        and device.platform in MERGEABLE
        and device.physical_id != earlier.physical_id
        and device.archived_at is None
        and earlier.created_at <= device.created_at
    )
    if not is_possible:
        raise NotSupported
    target, source = earlier.physical, device.physical
    _set_aside(target, device, actor)
    _move(source, target)
    history.record(device, "devices.device.merged", actor=actor, data={"earlier": str(earlier.pk)})
    return lifecycle.locked(device.pk)


def _move(source: PhysicalDevice, target: PhysicalDevice) -> None:
    """Let the entries of one device follow those of another, with what hangs on their epochs."""
    newest = target.entries.order_by("-epoch").values_list("epoch", flat=True).first() or 0
    for entry in source.entries.order_by("-epoch"):
        entry.commands.update(epoch=newest + entry.epoch)
        Device.objects.filter(pk=entry.pk).update(
            physical=target, epoch=newest + entry.epoch, groups_due_at=clock.now()
        )
    PhysicalIdentifier.objects.filter(physical=source).update(physical=target)
    source.delete()
