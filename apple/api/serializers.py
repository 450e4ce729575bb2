"""The push certificate as JSON; its key is never a field."""

from __future__ import annotations

import base64

from rest_framework import serializers

from apple.protocol.push_certificate import MAX_FILE
from apple.services import push_vendor
from apple.services.push_certificate import PushState
from core.api.serializers import StrictSerializer
from core.models import StoredKey


class PushStatusSerializer(serializers.Serializer):
    state = serializers.ChoiceField(choices=[(state.value, state.value) for state in PushState])
    topic = serializers.CharField(allow_blank=True)
    not_after = serializers.DateTimeField(allow_null=True)
    days_left = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(source="row.sha256", default="", allow_blank=True)
    request = serializers.UUIDField(source="request.id", default=None, allow_null=True)
    paused_reason = serializers.CharField(allow_blank=True)
    paused_since = serializers.DateTimeField(allow_null=True)
    trouble_reason = serializers.CharField(allow_blank=True)
    trouble_since = serializers.DateTimeField(allow_null=True)


class PushRequestSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    csr = serializers.CharField(source="data.csr", help_text="PEM.")
    portal_file = serializers.SerializerMethodField(
        help_text="What Apple's portal takes; null without a vendor certificate on this server."
    )

    def get_portal_file(self, row: StoredKey) -> str | None:
        if not push_vendor.is_configured():
            return None
        return base64.b64encode(push_vendor.countersign(row)).decode()


class PushUploadSerializer(StrictSerializer):
    certificate = serializers.CharField(max_length=MAX_FILE, help_text="PEM.")
    confirmation = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        allow_blank=True,
        help_text="The organisation's name, to install another topic while devices are enrolled.",
    )
