"""What the pages of a device and of a person tell about its groups and attributes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from accounts.models import AttributeDefinition
from accounts.services import attributes
from mdm.groups_ui import PAGES, Pages


def of_member(request: HttpRequest, kind: str, member: Any) -> dict[str, Any]:
    """Return groups and attribute values for ``groups/_of_member.html``; three queries at most."""
    pages = PAGES[kind]
    groups = pages.groups(request).filter(memberships__in=member.group_memberships.all())
    return {"pages": pages, "groups": groups, "attribute_rows": _values(request, pages, member)}


def _values(request: HttpRequest, pages: Pages, member: Any) -> list[tuple[str, str]]:
    rows = AttributeDefinition.objects.visible_to(request.user).filter(owner_kind=pages.key)
    found = attributes.values_of(shape=pages.shape, member=member)
    return [(one.label, words(found.get(one.key))) for one in rows]


def words(value: Any) -> str:
    """Return a value of an attribute as people write it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        return value
    return date_format(value) if hasattr(value, "year") else number_format(value)
