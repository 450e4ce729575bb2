"""Routes of the portal's device pages; the page of one device is composed in the roof."""

from __future__ import annotations

from django.urls import path

from devices.views import actions, cleanup, commands, governance, operations, portal

app_name = "devices"
urlpatterns = [
    path("devices/", portal.device_list, name="device-list"),
    path("devices/<uuid:pk>/pin/", portal.pin_reveal, name="pin-reveal"),
    path("devices/<uuid:pk>/location/", commands.location_reveal, name="location-reveal"),
    path("devices/commands/<uuid:pk>/", commands.command_raw, name="command-raw"),
    path("devices/commands/<uuid:pk>/cancel/", commands.command_cancel, name="command-cancel"),
    path("operations/", operations.operation_list, name="operation-list"),
    path("operations/new/", operations.operation_new, name="operation-new"),
    path("operations/wipes/", governance.wipe_list, name="wipe-list"),
    path("operations/<uuid:pk>/", operations.operation_detail, name="operation-detail"),
    path("operations/<uuid:pk>/cancel/", operations.operation_cancel, name="operation-cancel"),
    path("operations/<uuid:pk>/retry/", operations.operation_retry, name="operation-retry"),
    path("operations/approvals/<uuid:pk>/", governance.hold_detail, name="hold-detail"),
    path("operations/approvals/<uuid:pk>/approve/", governance.hold_approve, name="hold-approve"),
    path("operations/approvals/<uuid:pk>/stop/", governance.hold_stop, name="hold-stop"),
    path("settings/cleanup/", cleanup.cleanup_list, name="cleanup-list"),
    path("settings/cleanup/<slug:kind>/", cleanup.cleanup_rule, name="cleanup-rule"),
    path("settings/cleanup/<slug:kind>/run/", cleanup.cleanup_run, name="cleanup-run"),
    path("settings/protection/", governance.protection, name="protection"),
    path("settings/protection/limit/", governance.protection_limit, name="protection-limit"),
    path("settings/protection/freeze/", governance.freeze, name="freeze"),
    path("settings/protection/lift/", governance.lift, name="lift"),
    *actions.routes(),
]
