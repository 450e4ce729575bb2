"""Invitations and enrollments as JSON; links and PINs are never a field of a row."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from rest_framework import serializers

from core.api.serializers import StrictSerializer
from devices.api.serializers import DevicePersonSerializer
from devices.models import Ownership
from enrollment import funnel
from enrollment.models import EnrollmentSession, Invitation
from enrollment.services.invitations import MAX_AT_ONCE
from enrollment.states import SessionStage


class InvitationSerializer(serializers.ModelSerializer):
    """Reads `user`: select it."""

    user = DevicePersonSerializer(read_only=True)
    sent_by = serializers.CharField(source="sent_by_label", read_only=True)

    class Meta:
        model = Invitation
        fields: ClassVar = [
            "id",
            "user",
            "status",
            "with_pin",
            "ownership",
            "language",
            "sent_by",
            "created_at",
            "last_sent_at",
            "sent_count",
            "expires_at",
            "opened_at",
            "completed_at",
            "ended_at",
            "bounce_reason",
            "reminders_sent",
        ]
        read_only_fields = fields


class InviteSerializer(StrictSerializer):
    emails = serializers.ListField(
        child=serializers.CharField(max_length=254), min_length=1, max_length=MAX_AT_ONCE
    )
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES, required=False, default="", allow_blank=True
    )
    with_pin = serializers.BooleanField(
        required=False,
        default=None,
        allow_null=True,
        help_text="Null leaves it to the enrollment policy.",
    )
    ownership = serializers.ChoiceField(
        choices=Ownership.choices, required=False, default=None, allow_null=True
    )


class RevokeSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class LinkSerializer(serializers.Serializer):
    link = serializers.URLField(help_text="Shown this once; it authenticates nobody by itself.")


class EndedLinksSerializer(serializers.Serializer):
    links_ended_at = serializers.DateTimeField(allow_null=True)
    to_resend = serializers.IntegerField(help_text="Open invitations whose links are dead.")


class FunnelSerializer(serializers.Serializer):
    """How many invitations there are, and how many reached each step."""

    sent = serializers.IntegerField()
    opened = serializers.IntegerField()
    authenticated = serializers.IntegerField()
    downloaded = serializers.IntegerField()
    identity_issued = serializers.IntegerField()
    active = serializers.IntegerField()


class StepSerializer(serializers.Serializer):
    stage = serializers.ChoiceField(choices=SessionStage.choices)
    at = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(choices=["done", "next", "open", "stopped"])


class EnrollmentSerializer(serializers.ModelSerializer):
    """Reads `user`: select it."""

    user = DevicePersonSerializer(read_only=True, allow_null=True)
    invitation = serializers.UUIDField(source="invitation_id", read_only=True, allow_null=True)
    device = serializers.UUIDField(source="device_id", read_only=True, allow_null=True)
    steps = serializers.SerializerMethodField()

    class Meta:
        model = EnrollmentSession
        fields: ClassVar = [
            "id",
            "user",
            "invitation",
            "device",
            "platform",
            "stage",
            "outcome",
            "stopped_reason",
            "created_at",
            "expires_at",
            "ended_at",
            "reminders_sent",
            "steps",
        ]
        read_only_fields = fields

    def get_steps(self, session: EnrollmentSession) -> StepSerializer(many=True):
        return StepSerializer(funnel.steps(session), many=True).data
