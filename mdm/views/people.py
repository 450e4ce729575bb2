"""People: the list, and the page of one person with devices and invitations."""

from __future__ import annotations

import uuid

from allauth.mfa.utils import is_mfa_enabled
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access import requires
from accounts.filters import UserFilterSet
from accounts.models import User
from accounts.views import portal
from core.models import HistoryEntry
from core.views.lists import list_page
from devices.models import Device
from devices.states import MANAGED
from enrollment.models import Invitation
from enrollment.services import pins
from mdm import membership
from mdm.groups_ui import PEOPLE
from mdm.tables import SelectableUserTable, UserTable
from mdm.views.device_page import timeline

SHOWN = 10


@requires("users.view")
@require_GET
def user_list(request: HttpRequest) -> HttpResponse:
    managed = Q(devices__archived_at__isnull=True, devices__state__in=MANAGED)
    may_invite = request.user.has("invitations.send")
    rows = User.objects.visible_to(request.user).prefetch_related("roles")
    return list_page(
        request,
        template="users/user_list.html",
        filters=UserFilterSet(request.GET, queryset=rows, request=request),
        table_class=SelectableUserTable if may_invite else UserTable,
        annotations={"device_count": Count("devices", filter=managed, distinct=True)},
        pages=PEOPLE,
        here="list",
        title=_("People"),
        lead=_("Everybody who may enroll devices, and those who administer them."),
    )


@requires("users.view")
@require_GET
def user_detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    person = portal.find(request, pk)
    devices = Device.objects.visible_to(request.user).filter(user=person)
    invitations = Invitation.objects.visible_to(request.user).filter(user=person)
    entries = HistoryEntry.objects.visible_to(request.user).about(person)
    context = {
        "person": person,
        "roles": person.roles.all(),
        "pin": pins.info(person),
        "has_second_factor": is_mfa_enabled(person),
        "devices": devices.current().select_related("contact").order_by("-created_at")[:SHOWN],
        "device_count": devices.current().count(),
        "invitations": invitations.order_by("-created_at")[:SHOWN],
        "events": timeline(list(entries.order_by("-id")[:SHOWN]), []),
        "title": person.name,
        "crumbs": [(reverse("user-list"), _("People"))],
    }
    context |= membership.of_member(request, "user", person) | {"member_pk": person.pk}
    return render(request, "users/user_detail.html", context)
