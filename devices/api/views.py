"""API: devices, what they told, what they are told to do."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import PARAMETER, idempotent
from core.api.views import ReadOnlyApiViewSet
from devices.api import serializers
from devices.filters import CommandFilterSet, DeviceFilterSet
from devices.models import Command, Device
from devices.services import actions, lifecycle, pins


def order(body: Any, answer: Any = serializers.DeviceDetailSerializer) -> Any:
    """Describe an action that orders something of a device: it is queued, not done (202)."""
    return extend_schema(request=body, responses={202: answer}, parameters=[PARAMETER])


class DeviceViewSet(ReadOnlyApiViewSet):
    """Devices; one entry per enrollment. Lists leave out earlier enrollments unless asked."""

    queryset = Device.objects.select_related("user", "contact", "physical", "tenant")
    filterset_class = DeviceFilterSet
    sorts: ClassVar = ("created_at", "name", "serial", "state_changed_at")
    permissions: ClassVar = {
        "list": "devices.view",
        "retrieve": "devices.view",
        "inventory": "devices.view",
        "check_in": "devices.check_in",
        "lock": "devices.lock",
        "retire": "devices.retire",
        "wipe": "devices.wipe",
        "cancel": "devices.cancel",
        "destroy": "devices.delete",
        "reveal_pin": "devices.reveal_pin",
    }

    def get_serializer_class(self):
        if self.action == "list":
            return serializers.DeviceSerializer
        return serializers.DeviceDetailSerializer

    @extend_schema(responses={200: serializers.InventorySerializer(many=True)})
    @action(detail=True, pagination_class=None, filter_backends=[])
    def inventory(self, request: Request, pk: str) -> Response:
        """What the device last told about itself, one part per kind of answer."""
        sections = self.get_object().inventory.order_by("kind")
        return Response(serializers.InventorySerializer(sections, many=True).data)

    @order(serializers.NothingSerializer)
    @action(detail=True, methods=["post"], url_path="check-in")
    @idempotent
    def check_in(self, request: Request, pk: str) -> Response:
        """Ask the device to contact us and to tell about itself."""
        device, _body = self._ordered(request, serializers.NothingSerializer)
        actions.check_in(device=device, actor=request.user.actor)
        return self._accepted(device)

    @order(serializers.LockSerializer, serializers.CommandSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def lock(self, request: Request, pk: str) -> Response:
        """Lock the screen; a Mac with a PIN that is kept and can be revealed."""
        device, body = self._ordered(request, serializers.LockSerializer)
        command = actions.lock(device=device, actor=request.user.actor, **body)
        return Response(serializers.CommandSerializer(command).data, status=202)

    @order(serializers.ReasonSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def retire(self, request: Request, pk: str) -> Response:
        """Order the device to give up management."""
        device, body = self._ordered(request, serializers.ReasonSerializer)
        lifecycle.request_retire(device=device, actor=request.user.actor, **body)
        return self._accepted(device)

    @order(serializers.WipeSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def wipe(self, request: Request, pk: str) -> Response:
        """Order the device to erase itself. Everything on it is lost."""
        device, body = self._ordered(request, serializers.WipeSerializer)
        lifecycle.request_wipe(device=device, actor=request.user.actor, **body)
        return self._accepted(device)

    @order(serializers.ReasonSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: str) -> Response:
        """Take back a retire or wipe that the device has not received."""
        device, body = self._ordered(request, serializers.ReasonSerializer)
        lifecycle.cancel_order(device=device, actor=request.user.actor, **body)
        return self._accepted(device)

    @extend_schema(request=None, responses={200: serializers.PinSerializer})
    @action(detail=True, methods=["post"], url_path="reveal-pin")
    def reveal_pin(self, request: Request, pk: str) -> Response:
        """Show the PIN that a Mac was locked or wiped with; written in the history."""
        pin = pins.reveal_pin(device=self.get_object(), actor=request.user.actor)
        return Response({"pin": pin})

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an entry that ended, with everything that belongs to it; the history stays."""
        lifecycle.delete(device=self.get_object(), actor=request.user.actor)
        return Response(status=204)

    def _ordered(self, request: Request, kind: type) -> tuple[Device, dict[str, Any]]:
        # Whose device it is comes before what is asked of it: another's does not exist.
        device = self.get_object()
        body = kind(data=request.data)
        body.is_valid(raise_exception=True)
        return device, body.validated_data

    def _accepted(self, device: Device) -> Response:
        fresh = self.get_queryset().get(pk=device.pk)
        return Response(serializers.DeviceDetailSerializer(fresh).data, status=202)


class CommandViewSet(ReadOnlyApiViewSet):
    """Commands to devices, and how they ended."""

    queryset = Command.objects.all()
    serializer_class = serializers.CommandSerializer
    filterset_class = CommandFilterSet
    permissions: ClassVar = {"list": "devices.view", "retrieve": "devices.view"}
