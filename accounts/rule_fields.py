"""What rules of groups of people may ask, and the built-in groups."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.grouping import Shape
from accounts.models import (
    AttributeDefinition,
    AttributeOwner,
    User,
    UserAttributeValue,
    UserGroup,
    UserGroupMembership,
    UserSource,
)
from core.rules.compiling import Attribute, Column, Membership, Related
from core.rules.fields import Catalogue, Field, Kind

PERSON, ATTRIBUTES = _("Person"), _("Attributes of people")


def people(prefix: str = "") -> list[Field]:
    """Return the fields of a person, told from a row that reaches the person by `prefix`."""
    path = f"{prefix}__" if prefix else ""
    key = "person." if prefix else ""
    row = f"{prefix}_id" if prefix else "pk"
    roles = User.roles.through

    def column(name: str, label: Any, kind: Kind, choices: Any = ()) -> Field:
        return Field(key + name, label, kind, Column(path + name), PERSON, tuple(choices))

    return [
        column("email", _("E-mail address"), Kind.TEXT),
        column("first_name", _("First name"), Kind.TEXT),
        column("last_name", _("Last name"), Kind.TEXT),
        column("language", _("Language"), Kind.CHOICE, _languages()),
        column("time_zone", _("Time zone"), Kind.TEXT),
        column("source", _("Source"), Kind.CHOICE, UserSource.choices),
        column("is_active", _("Account is enabled"), Kind.BOOLEAN),
        column("created_at", _("Person added"), Kind.MOMENT),
        Field(
            f"{key}has_role",
            _("Has access to the portal"),
            Kind.BOOLEAN,
            Related(roles, "user_id", row),
            PERSON,
        ),
    ]


def _languages() -> list[tuple[str, Any]]:
    return [("", _("Like the organisation")), *settings.LANGUAGES]


def attributes_of_people(definitions: list[AttributeDefinition], prefix: str = "") -> list[Field]:
    key, row = ("person.", f"{prefix}_id") if prefix else ("", "pk")
    return [
        Field(
            f"{key}attr.{one.key}",
            one.label,
            Kind(one.kind),
            Attribute(UserAttributeValue, "user_id", row, one.pk),
            ATTRIBUTES,
        )
        for one in definitions
        if one.owner_kind == AttributeOwner.USER
    ]


def group_field(
    key: str, label: Any, section: Any, source: Membership, groups: QuerySet[Any]
) -> Field:
    choices = tuple((str(group.pk), str(group.label)) for group in groups)
    return Field(key, label, Kind.GROUP, source, section, choices)


def catalogue(tenant_id: uuid.UUID) -> Catalogue:
    """Return the fields of a tenant's people; two queries."""
    definitions = AttributeDefinition.objects.filter(
        tenant_id=tenant_id, owner_kind=AttributeOwner.USER
    )
    fields = [*people(), *attributes_of_people(list(definitions))]
    manual = UserGroup.objects.manual().filter(tenant_id=tenant_id)
    source = Membership(UserGroupMembership, "user_id", "pk")
    fields.append(group_field("group", _("Manual group"), PERSON, source, manual))
    return {field.key: field for field in fields}


SHAPE = Shape(
    key="user",
    model=User,
    groups=UserGroup,
    memberships=UserGroupMembership,
    values=UserAttributeValue,
    member="user",
    candidates=lambda: User.objects.all(),
    catalogue=catalogue,
    builtin={
        "all": {"match": "all", "rules": []},
        "administrators": {
            "match": "all",
            "rules": [{"field": "has_role", "operator": "equals", "value": True}],
        },
    },
    view_permissions=("users.view",),
)
