"""An organisation in which every name is an attack, and every page on which it could show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from accounts.models import ApiToken
from core import clock, history
from core.models import HistoryEntry, OutboxMessage, Tenant
from core.models.outbox import OutboxStatus
from devices.models import Command, Device, InventorySection
from devices.states import CommandStatus, DeviceState
from enrollment.models import EnrollmentSession, Invitation
from mdm.words.inventory import COLUMNS, FACTS, SECURITY
from tests.architecture.objects import World, values_of
from tests.architecture.routes import Route, routes

# Ends an attribute, a tag and a script; a template; a format string; a line of a mail.
NAME = "\"'></title></script><svg onload=alert(1)>{{1234|add:4321}}${1234+4321}%(x)s{0.pk}"
EVALUATED = ("5555", "<svg onload")
TABS = ("device", "security", "applications", "profiles", "certificates", "commands", "entries")


class HostileWorld(World):
    """Whatever a device, a person or a mail server can name is `name`."""

    def __init__(self, tenant: Tenant, name: str = NAME) -> None:
        super().__init__(tenant)
        self.name = name
        Tenant.objects.filter(pk=tenant.pk).update(name=name[:100], help_contact=name[:200])
        for user in (self.owner, self.person):
            type(user).objects.filter(pk=user.pk).update(
                first_name=name[:80], last_name=name[::-1][:80]
            )
        ApiToken.objects.filter(pk=self.token.pk).update(name=name[:80])
        self._devices(name)
        self._enrollment(name)
        data = {"reason": name, "name": [name, name], name: [name, {name: name}]}
        OutboxMessage.objects.filter(pk=self.message.pk).update(
            recipient=name[:254], last_error=name, status=OutboxStatus.QUARANTINED
        )
        history.record(self.device, "devices.device.renamed", actor=self.device.actor, data=data)
        HistoryEntry.objects.filter(tenant=tenant).update(
            actor_label=name[:254], object_label=name[:254], ip=name[:45], data=data
        )
        history.record(self.device, f"unheard.of.{name[:40]}", actor=self.device.actor, data=data)
        for row in (tenant, self.owner, self.person, self.device, self.invitation):
            row.refresh_from_db()

    def _devices(self, name: str) -> None:
        told = {
            "name": name[:200], "serial": name[:64], "model": name[:80], "model_name": name[:120],
            "os_version": name[:40], "build": name[:40],
        }  # fmt: skip
        Device.objects.filter(pk=self.device.pk).update(**told, state=DeviceState.RETIRE_PENDING)
        error = [{"domain": name, "code": name, "description": name}]
        for status in (CommandStatus.ERROR, CommandStatus.QUEUED):
            Command.objects.create(
                tenant=self.tenant, device=self.device, channel=self.device.channels.get(),
                kind=name[:60], epoch=1, deadline_at=clock.now(), status=status, error=error,
                reason=name, requested_by={"kind": "user", "id": "1", "label": name},
            )  # fmt: skip
        facts = {"device": FACTS, "security": SECURITY}
        sections = {kind: dict.fromkeys(table, name) for kind, table in facts.items()}
        for kind, columns in COLUMNS.items():
            sections[kind] = {"items": [{key: name for key, _label, _read in columns}, name, None]}
        for kind, data in sections.items():
            InventorySection.objects.create(
                device=self.device, kind=kind, data=data, collected_at=clock.now()
            )

    def _enrollment(self, name: str) -> None:
        Invitation.objects.filter(pk=self.invitation.pk).update(
            sent_by_label=name[:254], bounce_reason=name, status="opened"
        )
        EnrollmentSession.objects.filter(pk=self.session.pk).update(
            user_agent=name, device=self.device, stopped_reason=name[:40]
        )

    def pages(self) -> Iterator[str]:
        """Every address of the portal and of a person's own account that can be looked at."""
        for route in routes():
            if is_page(route):
                values = values_of(route.pattern, self) if route.parameters else {}
                if values is not None:
                    yield route.path(**values)
        yield from (f"/devices/{self.device.pk}/?tab={tab}" for tab in TABS)


def is_page(route: Route) -> bool:
    elsewhere = ("mdm/", "api/", "go", "[Gg]", "enroll/", "healthz", "readyz", "metrics")
    ends_the_session = ("account_logout", "account_reset_password_from_key")
    return not route.pattern.startswith(elsewhere) and route.name not in ends_the_session


def later(days: int = 1) -> dt.datetime:
    return clock.now() + dt.timedelta(days=days)
