"""What rules of groups of devices may ask, and the built-in groups."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.grouping import Shape
from accounts.models import (
    AttributeDefinition,
    AttributeOwner,
    UserGroup,
    UserGroupMembership,
)
from accounts.rule_fields import PERSON, attributes_of_people, group_field, people
from core.rules.compiling import Attribute, Column, Membership
from core.rules.fields import Catalogue, Field, Kind
from devices.models import (
    Device,
    DeviceAttributeValue,
    DeviceGroup,
    DeviceGroupMembership,
    Ownership,
    Platform,
)
from devices.states import MANAGED, DeviceState

DEVICE, ATTRIBUTES = _("Device"), _("Attributes of devices")


def _column(
    key: str, label: Any, kind: Kind, path: str = "", choices: Any = (), is_drifting: bool = False
) -> Field:
    return Field(key, label, kind, Column(path or key), DEVICE, tuple(choices), is_drifting)


def _devices() -> list[Field]:
    states = [(state.value, state.label) for state in DeviceState if state in MANAGED]
    return [
        _column("name", _("Name of the device"), Kind.TEXT),
        _column("platform", _("Platform"), Kind.CHOICE, choices=Platform.choices),
        _column("model_name", _("Model"), Kind.TEXT),
        _column("model", _("Model identifier"), Kind.TEXT),
        _column("serial", _("Serial number"), Kind.TEXT),
        _column("udid", _("Identifier (UDID)"), Kind.TEXT, "physical__key"),
        _column("os_version", _("System version"), Kind.VERSION),
        _column("build", _("System build"), Kind.TEXT),
        _column("ownership", _("Ownership"), Kind.CHOICE, choices=Ownership.choices),
        _column("is_supervised", _("Supervised"), Kind.BOOLEAN),
        _column("state", _("State"), Kind.CHOICE, choices=states),
        _column("enrolled_at", _("Enrolled"), Kind.MOMENT),
        _column(
            "last_contact",
            _("Last contact"),
            Kind.MOMENT,
            "contact__last_seen_at",
            is_drifting=True,
        ),
    ]


def catalogue(tenant_id: uuid.UUID) -> Catalogue:
    """Return the fields of a tenant's devices and their people; three queries."""
    definitions = list(AttributeDefinition.objects.filter(tenant_id=tenant_id))
    manual = DeviceGroup.objects.manual().filter(tenant_id=tenant_id)
    of_people = UserGroup.objects.filter(tenant_id=tenant_id)
    fields = [
        *_devices(),
        *(
            Field(
                f"attr.{one.key}",
                one.label,
                Kind(one.kind),
                Attribute(DeviceAttributeValue, "device_id", "pk", one.pk),
                ATTRIBUTES,
            )
            for one in definitions
            if one.owner_kind == AttributeOwner.DEVICE
        ),
        group_field(
            "group",
            _("Manual group of devices"),
            DEVICE,
            Membership(DeviceGroupMembership, "device_id", "pk"),
            manual,
        ),
        *people("user"),
        *attributes_of_people(definitions, "user"),
        group_field(
            "person.group",
            _("Group of people"),
            PERSON,
            Membership(UserGroupMembership, "user_id", "user_id"),
            of_people,
        ),
    ]
    return {field.key: field for field in fields}


def _one(field: str, value: Any) -> dict[str, Any]:
    return {"match": "all", "rules": [{"field": field, "operator": "equals", "value": value}]}


SHAPE = Shape(
    key="device",
    model=Device,
    groups=DeviceGroup,
    memberships=DeviceGroupMembership,
    values=DeviceAttributeValue,
    member="device",
    # Earlier enrollments and devices that are managed no more belong to no computed group.
    candidates=lambda: Device.objects.managed(),
    catalogue=catalogue,
    builtin={
        "all": {"match": "all", "rules": []},
        "iphone": _one("platform", Platform.IPHONE.value),
        "ipad": _one("platform", Platform.IPAD.value),
        "mac": _one("platform", Platform.MAC.value),
        "android": _one("platform", Platform.ANDROID.value),
        "supervised": _one("is_supervised", True),
        "company": _one("ownership", Ownership.COMPANY.value),
        "personal": _one("ownership", Ownership.PERSONAL.value),
    },
    view_permissions=("devices.view", "users.view"),
)
