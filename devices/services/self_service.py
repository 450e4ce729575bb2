"""What people do to their own devices: the same services as the administrators', behind the
policy of the organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.models import User, UserSettings
from devices import channels
from devices.errors import (
    ActionNotAllowed,
    NotLost,
    NotSupported,
    NotYourDevice,
    NotYourOrder,
    NotYourSearch,
)
from devices.models import Command, Device
from devices.services import actions, lifecycle, lost_mode, pins, wipes
from devices.states import DeviceState

# What belongs to looking for a device is allowed together, to the person who began it.
SEARCH = frozenset({"lost_mode_off", "locate", "play_sound"})
PENDING = (DeviceState.RETIRE_PENDING, DeviceState.WIPE_PENDING)


def allowed(user: User) -> frozenset[str]:
    """Return what the policy lets a person do to their own devices. One query."""
    actions = UserSettings.objects.for_user(user).self_service_actions
    return actions | SEARCH if "lost_mode" in actions else actions


def offered(*, device: Device, user: User) -> frozenset[str]:
    """Return what a person may do to a device now: allowed, understood, and in this state."""
    if device.user_id != user.pk or device.archived_at is not None or not device.is_managed:
        return frozenset()
    try:
        understood = channels.backend_of(device.channel_kind).actions(device)
    except NotSupported:
        return frozenset()
    if device.state != DeviceState.ACTIVE:
        understood -= {"retire", "wipe"}
    if not is_searcher(device=device, user=user):
        understood -= SEARCH
    return understood & allowed(user)


def is_searcher(*, device: Device, user: User) -> bool:
    """Say whether the person turned on the lost mode that the device is in: only then may they
    know where it is. Somebody else may be carrying it."""
    return device.lost_since is not None and _is_person(device.lost_by, user)


@transaction.atomic
def check_in(*, device: Device, user: User) -> None:
    """Ask the device to contact us. Raises NotYourDevice, ActionNotAllowed, NotSupported."""
    actions.check_in(device=_own(device, user, "check_in"), actor=user.person_actor)


@transaction.atomic
def lock(
    *, device: Device, user: User, message: str = "", phone: str = "", reason: str = ""
) -> Command:
    """Lock the screen. Raises NotYourDevice, ActionNotAllowed, NotSupported."""
    device = _own(device, user, "lock")
    return actions.lock(
        device=device, actor=user.person_actor, message=message, phone=phone, reason=reason
    )


@transaction.atomic
def retire(*, device: Device, user: User, reason: str = "") -> Device:
    """Order the device to give up management. Raises as `lifecycle.request_retire` and `_own`."""
    device = _own(device, user, "retire")
    return lifecycle.request_retire(device=device, actor=user.person_actor, reason=reason)


@transaction.atomic
def wipe(*, device: Device, user: User, confirmation: str, reason: str) -> Device:
    """Order the device to erase itself; the caller has asked for a recent sign-in.

    Raises as `wipes.order` and `_own`.
    """
    device = _own(device, user, "wipe")
    return wipes.order(
        device=device, actor=user.person_actor, confirmation=confirmation, reason=reason
    )


def may_cancel(*, device: Device, user: User, order: Command | None) -> bool:
    """Say whether the order under way is the person's own and has not left yet."""
    is_own = order is not None and _is_by(order, user)
    return device.user_id == user.pk and device.state in PENDING and is_own


@transaction.atomic
def cancel(*, device: Device, user: User) -> Device:
    """Take back an order that the same person gave here, until the device has it.

    Raises NotYourDevice, NotYourOrder, CannotCancel.
    """
    device = _locked_own(device, user)
    order = lifecycle.pending_order(device)
    if order is not None and not _is_by(order, user):
        raise NotYourOrder
    return lifecycle.cancel_order(device=device, actor=user.person_actor)


@transaction.atomic
def clear_passcode(*, device: Device, user: User, reason: str) -> Command:
    """Take the passcode off; the caller has asked for a recent sign-in. Raises as `_own`."""
    device = _own(device, user, "clear_passcode")
    return actions.clear_passcode(device=device, actor=user.person_actor, reason=reason)


@transaction.atomic
def lose(
    *,
    device: Device,
    user: User,
    message: str = "",
    phone: str = "",
    footnote: str = "",
    reason: str = "",
) -> Command:
    """Turn lost mode on. Raises as `lost_mode.turn_on` and `_own`."""
    device = _own(device, user, "lost_mode")
    texts = {"message": message, "phone": phone, "footnote": footnote}
    return lost_mode.turn_on(device=device, actor=user.person_actor, reason=reason, **texts)


@transaction.atomic
def search(*, device: Device, user: User, action: str) -> Command:
    """Locate, ring or give back a device that the same person declared lost.

    Raises as `_own`, NotYourSearch where an administrator did, NotSupported.
    """
    device = _own(device, user, action)
    _check_searcher(device, user)
    return _SEARCHES[action](device=device, actor=user.person_actor)


_SEARCHES = {
    "lost_mode_off": lost_mode.turn_off,
    "locate": lost_mode.locate,
    "play_sound": lost_mode.play_sound,
}


@transaction.atomic
def reveal_place(*, device: Device, user: User) -> lost_mode.Place | None:
    """Return where a device is that the same person declared lost. Raises as `search`, NotLost."""
    device = _own(device, user, "locate")
    if device.lost_since is None:
        raise NotLost
    _check_searcher(device, user)
    return lost_mode.reveal_place(device=device, actor=user.person_actor)


def _check_searcher(device: Device, user: User) -> None:
    if device.lost_since is not None and not is_searcher(device=device, user=user):
        raise NotYourSearch


@transaction.atomic
def reveal_pin(*, device: Device, user: User) -> str | None:
    """Return the PIN that unlocks somebody's own Mac, and write that it was seen."""
    return pins.reveal_pin(device=_locked_own(device, user), actor=user.person_actor)


def _own(device: Device, user: User, action: str) -> Device:
    device = _locked_own(device, user)
    if action not in allowed(user):
        raise ActionNotAllowed
    return device


def _locked_own(device: Device, user: User) -> Device:
    # Read again under the lock: the device may have changed hands since the page was opened.
    own = Device.objects.of_person(user).select_for_update(of=("self",)).filter(pk=device.pk)
    found = own.first()
    if found is None:
        raise NotYourDevice
    return found


def _is_by(order: Command, user: User) -> bool:
    return _is_person(order.requested_by, user)


def _is_person(who: Mapping[str, Any], user: User) -> bool:
    return who.get("kind") == "person" and who.get("id") == str(user.pk)
