"""The channels that reminders go over, in their order, and which of them reach a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from accounts.models import User
from core.models import KeyPurpose, StoredKey
from enrollment.models import AppPush, BrowserSubscription, ClientInstallation, NoticeChannel


@dataclass(frozen=True, slots=True)
class Target:
    """One address of a person on one channel: an app on a phone, a browser. `label` says which
    in the ledger."""

    channel: str
    kind: str
    id: UUID
    label: str


@dataclass(frozen=True, slots=True)
class Channel:
    """`kind` is that of the outbox messages; `purpose` the credential without which the channel
    does not exist, or "" for none; `find` returns the ids and labels of a person's addresses."""

    name: str
    kind: str
    purpose: str
    find: Callable[[User], Iterable[tuple[UUID, str]]]


def _apps(push_kind: str) -> Callable[[User], list[tuple[UUID, str]]]:
    def find(user: User) -> list[tuple[UUID, str]]:
        rows = ClientInstallation.objects.filter(
            user=user, push_kind=push_kind, ended_at=None, push_broken_reason=""
        ).exclude(sealed_push_token=b"")
        return [(row.pk, _device_name(row)) for row in rows.order_by("created_at")]

    return find


def _device_name(row: ClientInstallation) -> str:
    """What the app says of its phone: a claim, cut to a label."""
    for name in ("name", "model"):
        if isinstance(value := row.facts.get(name), str) and value.strip():
            return value.strip()[:80]
    return row.platform


def _browsers(user: User) -> list[tuple[UUID, str]]:
    rows = BrowserSubscription.objects.filter(user=user, broken_reason="")
    return list(rows.order_by("created_at").values_list("pk", "label"))


_channels: list[Channel] = [
    Channel(NoticeChannel.APP_APNS, "push.app_apns", KeyPurpose.APP_APNS, _apps(AppPush.APNS)),
    Channel(NoticeChannel.APP_FCM, "push.app_fcm", KeyPurpose.APP_FCM, _apps(AppPush.FCM)),
    Channel(NoticeChannel.WEB_PUSH, "push.web", KeyPurpose.WEB_PUSH, _browsers),
]


def register(channel: Channel) -> None:
    """Add a channel of an app above, after those that are there; called in `ready()`."""
    _channels.append(channel)


def pushed(user: User) -> list[Target]:
    """Return where a person can be pushed now, in the order of the channels.

    Mail is not among them: everybody has it. One query without credentials, else one more for
    each channel.
    """
    live = StoredKey.objects.filter(tenant_id=user.tenant_id, retired_at=None)
    purposes = set(live.values_list("purpose", flat=True))
    return [
        Target(channel.name, channel.kind, pk, label)
        for channel in _channels
        if not channel.purpose or channel.purpose in purposes
        for pk, label in channel.find(user)
    ]
