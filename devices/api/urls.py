"""Routes."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from devices.api import views

router = SimpleRouter(use_regex_path=False)
router.register("devices", views.DeviceViewSet, basename="api-device")
router.register("commands", views.CommandViewSet, basename="api-command")
urlpatterns = router.urls
