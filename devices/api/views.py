"""API: devices, what they told, what they are told to do."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.attributes import ValuesSerializer, answer_values
from core.api.idempotency import PARAMETER, idempotent
from core.api.serializers import StrictSerializer
from core.api.views import ReadOnlyApiViewSet
from devices import actions
from devices.api import serializers
from devices.filters import CommandFilterSet, DeviceFilterSet
from devices.models import Command, Device
from devices.services import cancelling, lifecycle, lost_mode, pins, raw, variables

_DESCRIPTIONS = {
    "check_in": "Ask the device to contact us and to tell about itself.",
    "lock": "Lock the screen; a Mac with a PIN that is kept and can be revealed.",
    "retire": "Order the device to give up management.",
    "wipe": "Order the device to erase itself. Everything on it is lost.",
    "cancel": "Take back a retire or wipe that the device has not received.",
    "close_order": "End a retire or wipe that a lost device will never answer.",
    "clear_passcode": "Remove the passcode of an iPhone or iPad.",
    "restart": "Restart the device.",
    "shut_down": "Switch the device off.",
    "lost_mode": "Lock a supervised iPhone or iPad behind a message; it can then be located.",
    "lost_mode_off": "Give the device back to its person; where it was is forgotten.",
    "locate": "Ask a device in lost mode where it is; see reveal-location.",
    "play_sound": "Make a device in lost mode ring.",
    "rename": "Give the device another name, on the device itself.",
    "assign": "Give the device to a person, or to nobody.",
    "set_ownership": "Say who owns the device.",
}


def ordering(key: str, body_class: type[StrictSerializer]) -> Any:
    """Return the API's method of an action: it is queued, not done (202).

    A command is answered with the command, whatever moves the entry with the entry.
    """
    chosen = actions.find(key)

    def method(view: DeviceViewSet, request: Request, pk: str) -> Response:
        # Whose device it is comes before what is asked of it: another's does not exist.
        device = view.get_object()
        body = body_class(data=request.data, context={"request": request})
        body.is_valid(raise_exception=True)
        done = chosen.run(device=device, actor=request.user.actor, **body.validated_data)
        if isinstance(done, Command):
            return Response(serializers.CommandSerializer(done).data, status=202)
        return view.accepted(device)

    method.__name__, method.__doc__ = key, _DESCRIPTIONS[key]
    answer = (
        serializers.CommandSerializer if chosen.is_command else serializers.DeviceDetailSerializer
    )
    described = extend_schema(request=body_class, responses={202: answer}, parameters=[PARAMETER])
    routed = action(detail=True, methods=["post"], url_path=chosen.slug)
    return described(routed(idempotent(method)))


class DeviceViewSet(ReadOnlyApiViewSet):
    """Devices; one entry per enrollment. Lists leave out earlier enrollments unless asked."""

    queryset = Device.objects.select_related("user", "contact", "physical", "tenant")
    filterset_class = DeviceFilterSet
    sorts: ClassVar = ("created_at", "name", "serial", "state_changed_at")
    permissions: ClassVar = {
        "list": "devices.view",
        "retrieve": "devices.view",
        "inventory": "devices.view",
        "attributes": "devices.view",
        "set_attributes": "attributes.set",
        "variables": "devices.view",
        "preview_variables": "devices.view",
        **{one.key: one.permission for one in actions.every()},
        "destroy": "devices.delete",
        "reveal_pin": "devices.reveal_pin",
        "reveal_location": "devices.locate",
    }

    def get_serializer_class(self):
        if self.action == "list":
            return serializers.DeviceSerializer
        return serializers.DeviceDetailSerializer

    @extend_schema(request=None, responses={200: ValuesSerializer})
    @action(detail=True, filter_backends=[])
    def attributes(self, request: Request, pk: str) -> Response:
        """The custom attributes of this device, by key; what is empty is left out."""
        return answer_values(request, "device", self.get_object())

    @extend_schema(request=ValuesSerializer, responses={200: ValuesSerializer})
    @attributes.mapping.patch
    def set_attributes(self, request: Request, pk: str) -> Response:
        """Set or clear custom attributes of this device."""
        return answer_values(request, "device", self.get_object())

    @extend_schema(responses={200: serializers.InventorySerializer(many=True)})
    @action(detail=True, pagination_class=None, filter_backends=[])
    def inventory(self, request: Request, pk: str) -> Response:
        """What the device last told about itself, one part per kind of answer."""
        sections = self.get_object().inventory.order_by("kind")
        return Response(serializers.InventorySerializer(sections, many=True).data)

    @extend_schema(responses={200: serializers.VariableSerializer(many=True)})
    @action(detail=True, pagination_class=None, filter_backends=[])
    def variables(self, request: Request, pk: str) -> Response:
        """Every variable that texts may hold, with its value for this device."""
        told = variables.listed(self.get_object())
        return Response(serializers.VariableSerializer(told, many=True).data)

    @extend_schema(
        request=serializers.TextSerializer, responses={200: serializers.ResolvedSerializer}
    )
    @variables.mapping.post
    def preview_variables(self, request: Request, pk: str) -> Response:
        """Tell what a text with variables becomes for this device; nothing is stored."""
        device = self.get_object()
        body = serializers.TextSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        resolved = variables.resolve(device=device, **body.validated_data)
        return Response(serializers.ResolvedSerializer(resolved).data)

    check_in = ordering("check_in", serializers.NothingSerializer)
    lock = ordering("lock", serializers.LockSerializer)
    retire = ordering("retire", serializers.ReasonSerializer)
    wipe = ordering("wipe", serializers.WipeSerializer)
    cancel = ordering("cancel", serializers.ReasonSerializer)
    close_order = ordering("close_order", serializers.CloseOrderSerializer)
    clear_passcode = ordering("clear_passcode", serializers.WhySerializer)
    restart = ordering("restart", serializers.RestartSerializer)
    shut_down = ordering("shut_down", serializers.ReasonSerializer)
    lost_mode = ordering("lost_mode", serializers.LostModeSerializer)
    lost_mode_off = ordering("lost_mode_off", serializers.ReasonSerializer)
    locate = ordering("locate", serializers.ReasonSerializer)
    play_sound = ordering("play_sound", serializers.ReasonSerializer)
    rename = ordering("rename", serializers.RenameSerializer)
    assign = ordering("assign", serializers.AssignSerializer)
    set_ownership = ordering("set_ownership", serializers.OwnershipSerializer)

    @extend_schema(request=None, responses={200: serializers.LocationSerializer})
    @action(detail=True, methods=["post"], url_path="reveal-location")
    def reveal_location(self, request: Request, pk: str) -> Response:
        """Show where a device in lost mode said it is; written in the history."""
        place = lost_mode.reveal_place(device=self.get_object(), actor=request.user.actor)
        return Response(serializers.LocationSerializer({"location": place}).data)

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

    def accepted(self, device: Device) -> Response:
        fresh = self.get_queryset().get(pk=device.pk)
        return Response(self.get_serializer(fresh).data, status=202)


class CommandViewSet(ReadOnlyApiViewSet):
    """Commands to devices, and how they ended."""

    queryset = Command.objects.select_related("device", "channel").defer("answer")
    serializer_class = serializers.CommandSerializer
    filterset_class = CommandFilterSet
    permissions: ClassVar = {
        "list": "devices.view",
        "retrieve": "devices.view",
        "cancel": "devices.cancel",
        "raw": "devices.raw",
    }

    @extend_schema(
        request=serializers.ReasonSerializer, responses={200: serializers.CommandSerializer}
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Take one command out of the queue; one that the device has may be done all the same."""
        command = self.get_object()
        body = serializers.ReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        done = cancelling.cancel(command=command, actor=request.user.actor, **body.validated_data)
        return Response(serializers.CommandSerializer(done).data)

    @extend_schema(responses={200: serializers.RawCommandSerializer})
    @action(detail=True, pagination_class=None, filter_backends=[])
    def raw(self, request: Request, pk: str) -> Response:
        """The command and its answer as property lists, without their secrets."""
        told = raw.show(command=self.get_object())
        return Response(serializers.RawCommandSerializer(told).data)
