"""Routes."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from devices.api import operations, views
from devices.api.cleanup import CleanupView
from devices.api.groups import DeviceGroupViewSet

router = SimpleRouter(use_regex_path=False)
router.register("devices", views.DeviceViewSet, basename="api-device")
router.register("device-groups", DeviceGroupViewSet, basename="api-device-group")
router.register("commands", views.CommandViewSet, basename="api-command")
router.register("operations", operations.OperationViewSet, basename="api-operation")
router.register("wipes", operations.WipeOrderViewSet, basename="api-wipe")
PROTECTION = {"get": "retrieve", "patch": "partial_update"}
urlpatterns = [
    *router.urls,
    path(
        "operations/<uuid:pk>/targets/",
        operations.TargetViewSet.as_view({"get": "list"}),
        name="api-operation-targets",
    ),
    path("cleanup-rules/", CleanupView.as_view({"get": "rules"}), name="api-cleanup"),
    path(
        "cleanup-rules/<slug:kind>/",
        CleanupView.as_view({"patch": "partial_update"}),
        name="api-cleanup-rule",
    ),
    path(
        "cleanup-rules/<slug:kind>/run/",
        CleanupView.as_view({"post": "run"}),
        name="api-cleanup-run",
    ),
    path("wipe-protection/", operations.ProtectionView.as_view(PROTECTION), name="api-protection"),
    path(
        "wipe-protection/freeze/",
        operations.ProtectionView.as_view({"post": "freeze"}),
        name="api-freeze",
    ),
]
