"""Bulk orders, approvals, wipes and wipe protection as JSON."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import StrictSerializer
from devices import selections
from devices.api.serializers import RequesterSerializer
from devices.forms import MAX_REASON
from devices.models import Hold, Operation, OperationTarget, Safeguard, WipeOrder
from devices.models.governance import MAX_WIPE_LIMIT
from devices.progress import Progress


class HoldSerializer(serializers.ModelSerializer):
    requested_by = RequesterSerializer(read_only=True)
    decided_by = serializers.SerializerMethodField()

    class Meta:
        model = Hold
        fields: ClassVar = [
            "id",
            "kind",
            "mode",
            "state",
            "why",
            "reason",
            "requested_by",
            "created_at",
            "due_at",
            "decided_at",
            "decided_by",
            "decision_reason",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_blank=True))
    def get_decided_by(self, hold: Hold) -> str:
        return str(hold.decided_by.get("label", ""))


class OperationSerializer(serializers.ModelSerializer):
    """Reads `hold`: select it."""

    requested_by = RequesterSerializer(read_only=True)
    pending_count = serializers.IntegerField(read_only=True)
    retry_of = serializers.UUIDField(source="retry_of_id", read_only=True, allow_null=True)
    hold = serializers.SerializerMethodField(help_text="Set when a second administrator decides.")

    class Meta:
        model = Operation
        fields: ClassVar = [
            "id",
            "action",
            "state",
            "reason",
            "query",
            "requested_by",
            "created_at",
            "finished_at",
            "total",
            "pending_count",
            "done_count",
            "failed_count",
            "skipped_count",
            "cancelled_count",
            "retry_of",
            "hold",
        ]
        read_only_fields = fields

    @extend_schema_field(HoldSerializer(allow_null=True))
    def get_hold(self, operation: Operation) -> dict[str, Any] | None:
        hold = getattr(operation, "hold", None)
        return HoldSerializer(hold).data if hold else None


class TargetSerializer(serializers.ModelSerializer):
    device = serializers.UUIDField(source="device_key", read_only=True)
    command = serializers.UUIDField(source="command_id", read_only=True, allow_null=True)
    reason = serializers.SerializerMethodField(help_text="Why, in words.")

    class Meta:
        model = OperationTarget
        fields: ClassVar = [
            "device",
            "label",
            "serial",
            "state",
            "reason_code",
            "reason",
            "command",
            "finished_at",
        ]
        read_only_fields = fields

    def get_reason(self, target: OperationTarget) -> str:
        return Progress.explain(target)


class SelectionSerializer(StrictSerializer):
    """Either `devices` or `filter`."""

    action = serializers.CharField(max_length=60, help_text="As in `actions` of a device.")
    devices = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=selections.MAX_CHOSEN,
        min_length=1,
        required=False,
        help_text="Up to 10,000. One that does not exist refuses the whole call.",
    )
    filter = serializers.CharField(
        max_length=2000,
        required=False,
        allow_blank=True,
        help_text="As in the address of the list of devices: `state=active&platform=mac`.",
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("devices" in data) == ("filter" in data):
            raise serializers.ValidationError({"devices": ["Name either devices or a filter."]})
        return data


class OrderSerializer(SelectionSerializer):
    params = serializers.DictField(
        required=False,
        default=dict,
        help_text="What the call for one device takes, without `confirmation`.",
    )
    expected = serializers.IntegerField(
        required=False,
        min_value=0,
        help_text="How many you expect; another number refuses the call.",
    )
    confirmation = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text="For wipe and delete: action and number, `wipe 12`.",
    )


class SurveySerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="How many devices it would reach.")
    excluded = serializers.DictField(
        child=serializers.IntegerField(), help_text="Who is left out: reason to number."
    )
    sample = serializers.ListField(child=serializers.CharField())


class WipeOrderSerializer(serializers.ModelSerializer):
    device = serializers.UUIDField(source="device_id", read_only=True, allow_null=True)
    operation = serializers.UUIDField(source="operation_id", read_only=True, allow_null=True)
    requested_by = RequesterSerializer(read_only=True)
    approved_by = serializers.CharField(source="approver_label", read_only=True)

    class Meta:
        model = WipeOrder
        fields: ClassVar = [
            "id",
            "device",
            "label",
            "serial",
            "person",
            "ordered_at",
            "requested_by",
            "reason",
            "approved_by",
            "outcome",
            "finished_at",
            "operation",
        ]
        read_only_fields = fields


class ProtectionSerializer(serializers.ModelSerializer):
    is_frozen = serializers.BooleanField(read_only=True)
    coming = serializers.SerializerMethodField(help_text="A higher limit that waits.")

    class Meta:
        model = Safeguard
        fields: ClassVar = ["wipe_limit", "is_frozen", "frozen_at", "freeze_reason", "coming"]
        read_only_fields = fields

    @extend_schema_field(HoldSerializer(allow_null=True))
    def get_coming(self, row: Safeguard) -> dict[str, Any] | None:
        hold = self.context.get("coming")
        return HoldSerializer(hold).data if hold else None


class LimitSerializer(StrictSerializer):
    wipe_limit = serializers.IntegerField(min_value=1, max_value=MAX_WIPE_LIMIT)
    reason = serializers.CharField(
        max_length=MAX_REASON, required=False, default="", allow_blank=True
    )


class NeededReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=MAX_REASON)
