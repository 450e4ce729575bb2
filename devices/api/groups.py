"""API: groups of devices."""

from __future__ import annotations

from accounts.api.groups import GroupViewSet
from devices.models import DeviceGroup


class DeviceGroupViewSet(GroupViewSet):
    """Groups of devices. Their members are found by `GET /devices/?group=<id>`."""

    queryset = DeviceGroup.objects.all()
    shape_key = "device"
