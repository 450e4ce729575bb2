"""Devices and commands as JSON; nothing sealed is ever a field."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from core.api.serializers import StrictSerializer
from core.variables import MAX_TEXT
from devices import actions
from devices.forms import MAX_FOOTNOTE, MAX_REASON, OBLITERATION
from devices.models import Command, Device, InventorySection, Ownership
from devices.services import holds
from devices.services.actions import MAX_MESSAGE, MAX_NAME, MAX_PHONE


class DevicePersonSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()


class DeviceSerializer(serializers.ModelSerializer):
    """Reads `user`, `contact` and `physical`: select them."""

    label = serializers.CharField(read_only=True, help_text="What a wipe is confirmed with.")
    identifier = serializers.CharField(
        source="physical.key", read_only=True, help_text="The UDID of an Apple device."
    )
    user = DevicePersonSerializer(read_only=True, allow_null=True)
    last_seen_at = serializers.SerializerMethodField()
    has_pending_order = serializers.BooleanField(read_only=True)
    superseded_by = serializers.UUIDField(
        source="superseded_by_id", read_only=True, allow_null=True
    )
    enrollment = serializers.UUIDField(source="session_id", read_only=True, allow_null=True)

    class Meta:
        model = Device
        fields: ClassVar = [
            "id",
            "label",
            "name",
            "serial",
            "identifier",
            "platform",
            "model",
            "model_name",
            "os_version",
            "build",
            "ownership",
            "is_supervised",
            "lost_since",
            "state",
            "state_changed_at",
            "has_pending_order",
            "user",
            "epoch",
            "enrollment",
            "created_at",
            "enrolled_at",
            "ended_at",
            "archived_at",
            "superseded_by",
            "last_seen_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_last_seen_at(self, device: Device) -> Any:
        return device.contact.last_seen_at if hasattr(device, "contact") else None


class DeviceDetailSerializer(DeviceSerializer):
    actions = serializers.SerializerMethodField(help_text="What you may order of the device now.")
    waiting_operation = serializers.SerializerMethodField(
        help_text="The order in which a wipe of it waits for approval."
    )

    class Meta(DeviceSerializer.Meta):
        fields: ClassVar = [*DeviceSerializer.Meta.fields, "actions", "waiting_operation"]
        read_only_fields = fields

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_waiting_operation(self, device: Device) -> Any:
        held = holds.waiting_for(device.pk)
        return held.pk if held else None

    def get_actions(self, device: Device) -> list[str]:
        return sorted(
            action.key
            for action in actions.available(device=device, user=self.context["request"].user)
        )


class InventorySerializer(serializers.ModelSerializer):
    class Meta:
        model = InventorySection
        fields: ClassVar = ["kind", "collected_at", "data"]


class RequesterSerializer(serializers.Serializer):
    kind = serializers.CharField()
    label = serializers.CharField()


class CommandSerializer(serializers.ModelSerializer):
    device = serializers.UUIDField(source="device_id", read_only=True)
    requested_by = RequesterSerializer(read_only=True)

    class Meta:
        model = Command
        fields: ClassVar = [
            "id",
            "device",
            "kind",
            "status",
            "params",
            "reason",
            "requested_by",
            "created_at",
            "sent_at",
            "sent_count",
            "not_now_at",
            "not_now_count",
            "deadline_at",
            "finished_at",
            "error",
            "result",
        ]
        read_only_fields = fields


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(
        max_length=MAX_REASON, required=False, default="", allow_blank=True
    )


class LockSerializer(ReasonSerializer):
    message = serializers.CharField(
        max_length=MAX_MESSAGE, required=False, default="", allow_blank=True
    )
    phone = serializers.CharField(
        max_length=MAX_PHONE, required=False, default="", allow_blank=True
    )


class WipeSerializer(StrictSerializer):
    """Options that the platform does not know are left out on the way."""

    OPTIONS: ClassVar = (
        "preserve_data_plan",
        "return_to_service",
        "wifi_profile",
        "obliteration_behavior",
    )

    confirmation = serializers.CharField(max_length=200, help_text="The label of the device.")
    reason = serializers.CharField(max_length=MAX_REASON)
    preserve_data_plan = serializers.BooleanField(required=False, help_text="iPhone and iPad.")
    return_to_service = serializers.BooleanField(
        required=False, help_text="iPhone and iPad from 17: set up again by itself."
    )
    wifi_profile = serializers.CharField(
        required=False, max_length=90_000, help_text="In base64; with return_to_service."
    )
    obliteration_behavior = serializers.ChoiceField(
        required=False, choices=OBLITERATION, help_text="Mac."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        options = {name: attrs.pop(name) for name in self.OPTIONS if name in attrs}
        return attrs | {"options": options}


class WhySerializer(StrictSerializer):
    reason = serializers.CharField(max_length=MAX_REASON)


class RestartSerializer(ReasonSerializer):
    notify_user = serializers.BooleanField(
        required=False, default=False, help_text="Let the person at a Mac save their work first."
    )


class LostModeSerializer(LockSerializer):
    footnote = serializers.CharField(
        max_length=MAX_FOOTNOTE, required=False, default="", allow_blank=True
    )


class RenameSerializer(ReasonSerializer):
    name = serializers.CharField(max_length=MAX_NAME)


@extend_schema_field(serializers.UUIDField(allow_null=True))
class VisiblePersonField(serializers.PrimaryKeyRelatedField):
    """Somebody whom the caller may see."""

    def get_queryset(self) -> Any:
        request = self.context.get("request")
        return User.objects.visible_to(request.user) if request else User.objects.none()


class AssignSerializer(ReasonSerializer):
    person = VisiblePersonField(allow_null=True, help_text="Null: the device is nobody's.")


class OwnershipSerializer(ReasonSerializer):
    ownership = serializers.ChoiceField(choices=Ownership.choices)


class CloseOrderSerializer(StrictSerializer):
    confirmation = serializers.CharField(max_length=200, help_text="The label of the device.")
    reason = serializers.CharField(max_length=MAX_REASON)


class PlaceSerializer(serializers.Serializer):
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()
    accuracy = serializers.FloatField(allow_null=True, help_text="Metres.")
    at = serializers.DateTimeField()


class LocationSerializer(serializers.Serializer):
    location = PlaceSerializer(allow_null=True, help_text="Null before the first answer.")


class RawCommandSerializer(serializers.Serializer):
    request = serializers.CharField()
    answer = serializers.CharField(help_text="Empty when it was not kept.")


class NothingSerializer(StrictSerializer):
    """A body without fields."""


class PinSerializer(serializers.Serializer):
    pin = serializers.CharField(allow_null=True)


class VariableSerializer(serializers.Serializer):
    name = serializers.CharField()
    label = serializers.CharField()
    value = serializers.CharField(help_text="Empty when this device has none.")
    aliases = serializers.ListField(child=serializers.CharField())


class TextSerializer(StrictSerializer):
    text = serializers.CharField(max_length=MAX_TEXT, trim_whitespace=False)


class ResolvedSerializer(serializers.Serializer):
    text = serializers.CharField()
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="Variables without a value, which are empty."
    )
