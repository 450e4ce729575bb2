"""One object of a tenant for every route that names one, for the tenant matrix."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from accounts import grouping
from accounts.models import AttributeDefinition, SavedView, TermsOfService
from accounts.services import groups
from core import clock, history, outbox
from core.models import HistoryEntry, KeyPurpose, StoredKey, Webhook
from devices.models import Command, Hold, WipeOrder
from devices.services import operation_rows
from devices.states import CommandStatus
from enrollment.models import EnrollmentSession, Invitation, Notice, NoticeChannel
from tests import factories
from tests.self_service.authenticator import passkey

Values = dict[str, Any]


class World:
    """Everything that one organisation can have, made once per test."""

    def __init__(self, tenant) -> None:
        self.tenant = tenant
        self.owner = factories.user(tenant, "owner")
        self.person = factories.user(tenant, password=None)
        self.passkey = passkey(factories.user(tenant))
        self.device = factories.device(tenant, self.person)
        self.command: Command = factories.command(self.device, status=CommandStatus.QUEUED)
        self.token, _ = factories.token(self.owner)
        self.message = outbox.enqueue(tenant=tenant, kind="mail", body={}, due_at=clock.now())
        history.record(self.device, "devices.device.renamed", actor=self.owner.actor)
        self.entry = HistoryEntry.objects.filter(tenant=tenant).latest("pk")
        self.push_request = StoredKey.objects.create(
            tenant=tenant, purpose=KeyPurpose.APNS_PUSH, sealed_key=b"", data={"csr": "request"}
        )
        later = clock.now() + dt.timedelta(days=7)
        self.terms = TermsOfService.objects.create(tenant=tenant, title="Terms", text="Be kind.")
        self.invitation = Invitation.objects.create(
            tenant=tenant, user=self.person, expires_at=later
        )
        self.session = EnrollmentSession.objects.create(
            tenant=tenant, user=self.person, invitation=self.invitation, expires_at=later
        )
        self.webhook = Webhook.objects.create(
            tenant=tenant, name="Chat", url="https://hooks.test/1", sealed_secret=b""
        )
        self.view = SavedView.objects.create(
            tenant=tenant, owner=self.owner, list_name="user-list", name="All", is_shared=True
        )
        self.operation = operation_rows.write(
            tenant_id=tenant.pk,
            action="wipe",
            devices=[operation_rows.Meant.of(self.device)],
            content={"form": {}},
            shown=[],
            reason="x",
            actor=self.owner.actor,
            requester=self.owner,
            token=None,
        )
        self.hold = Hold.objects.create(
            tenant=tenant, kind="wipe", mode="approval", operation=self.operation, due_at=later
        )
        self.wipe = WipeOrder.objects.create(tenant=tenant, device=self.device, label="x")
        self.device_group = groups.create(
            shape=grouping.get("device"), tenant=tenant, name="Group", actor=self.owner.actor
        )
        self.user_group = groups.create(
            shape=grouping.get("user"), tenant=tenant, name="Group", actor=self.owner.actor
        )
        self.attribute = AttributeDefinition.objects.create(
            tenant=tenant, owner_kind="user", key="team", kind="text", label="Team"
        )
        self.notice = Notice.objects.create(
            tenant=tenant, user=self.person, session=self.session, channel=NoticeChannel.MAIL
        )


# The start of a route -> the values of its parameters. The longest start that fits counts.
OBJECTS: dict[str, Callable[[World], Values]] = {
    "devices/": lambda world: {"pk": world.device.pk},
    "devices/commands/": lambda world: {"pk": world.command.pk},
    "operations/": lambda world: {"pk": world.operation.pk},
    "operations/approvals/": lambda world: {"pk": world.hold.pk},
    "devices/groups/": lambda world: {"pk": world.device_group.pk},
    "users/": lambda world: {"pk": world.person.pk},
    "users/groups/": lambda world: {"pk": world.user_group.pk},
    "invitations/": lambda world: {"pk": world.invitation.pk},
    "invitations/enrollments/": lambda world: {"pk": world.session.pk},
    "history/": lambda world: {"pk": world.entry.pk},
    "settings/attributes/": lambda world: {"pk": world.attribute.pk},
    "settings/mail/": lambda world: {"pk": world.message.pk},
    "settings/push/request/": lambda world: {"pk": world.push_request.pk, "kind": "csr"},
    "settings/terms/": lambda world: {"pk": world.terms.pk},
    "settings/webhooks/": lambda world: {"pk": world.webhook.pk},
    "api/v1/webhooks/": lambda world: {"pk": world.webhook.pk},
    "settings/tokens/": lambda world: {"pk": world.token.pk},
    "views/": lambda world: {"pk": world.view.pk},
    "account/passkeys/": lambda world: {"pk": world.passkey.pk},
    "me/devices/": lambda world: {"pk": world.device.pk},
    "me/account/passkeys/": lambda world: {"pk": world.passkey.pk},
    "api/v1/devices/": lambda world: {"pk": world.device.pk},
    "api/v1/attributes/": lambda world: {"pk": world.attribute.pk},
    "api/v1/device-groups/": lambda world: {"pk": world.device_group.pk},
    "api/v1/user-groups/": lambda world: {"pk": world.user_group.pk},
    "api/v1/commands/": lambda world: {"pk": world.command.pk},
    "api/v1/operations/": lambda world: {"pk": world.operation.pk},
    "api/v1/wipes/": lambda world: {"pk": world.wipe.pk},
    "api/v1/users/": lambda world: {"pk": world.person.pk},
    "api/v1/invitations/": lambda world: {"pk": world.invitation.pk},
    "api/v1/reminders/": lambda world: {"pk": world.notice.pk},
    "api/v1/enrollments/": lambda world: {"pk": world.session.pk},
    "api/v1/history/": lambda world: {"pk": world.entry.pk},
    "api/v1/messages/": lambda world: {"pk": world.message.pk},
    "api/v1/terms/": lambda world: {"pk": world.terms.pk},
    "api/v1/tokens/": lambda world: {"pk": world.token.pk},
    "client/v1/enrollments/": lambda world: {"pk": world.session.pk},
}
# Routes with parameters that name no row of a tenant, and why.
WITHOUT_OBJECT = {
    "settings/cleanup/<slug:kind>/": "a kind of rule, not a row",
    "settings/cleanup/<slug:kind>/run/": "a kind of rule, not a row",
    "api/v1/cleanup-rules/<slug:kind>/": "a kind of rule, not a row",
    "api/v1/cleanup-rules/<slug:kind>/run/": "a kind of rule, not a row",
    "setup/<slug:key>/": "a step of the setup, not a row",
    "setup/<slug:key>/skip/": "a step of the setup, not a row",
    "settings/reminders/<slug:purpose>/test/": "a kind of credential, not a row",
    "settings/reminders/<slug:purpose>/remove/": "a kind of credential, not a row",
    "api/v1/reminder-channels/<slug:purpose>/": "a kind of credential, not a row",
    "api/v1/reminder-channels/<slug:purpose>/test/": "a kind of credential, not a row",
    "account/password/reset/<str:uidb36>-<str:key>/": "the credential itself",
    "me/password/reset/<str:uidb36>-<str:key>/": "the credential itself",
    "settings/mail/files/<str:name>/": "a file of the embedded default, which has one tenant",
    "mdm/apple/scep/<slug:tenant>": "public: the challenge decides",
    "enroll/<str:token>/profile": "the credential itself",
    "api/docs/": "no row",
}


def values_of(pattern: str, world: World) -> Values | None:
    """Return the values of a route's parameters, or None when nobody said what it is about."""
    fitting = [start for start in OBJECTS if pattern.startswith(start)]
    return OBJECTS[max(fitting, key=len)](world) if fitting else None
