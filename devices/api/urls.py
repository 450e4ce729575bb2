"""Routes."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from devices.api import views
from devices.api.groups import DeviceGroupViewSet

router = SimpleRouter(use_regex_path=False)
router.register("devices", views.DeviceViewSet, basename="api-device")
router.register("device-groups", DeviceGroupViewSet, basename="api-device-group")
router.register("commands", views.CommandViewSet, basename="api-command")
urlpatterns = router.urls
