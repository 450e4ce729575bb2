"""API: the ledger of reminders, and the channels that they go over."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import django_filters
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import PARAMETER, idempotent
from core.api.serializers import StrictSerializer
from core.api.views import ApiViewSet, ReadOnlyApiViewSet
from core.models import KeyPurpose, StoredKey
from devices.api.serializers import DevicePersonSerializer
from enrollment.models import Notice, NoticeChannel, NoticeKind, NoticeStatus
from enrollment.services import push_keys, push_status, push_test
from enrollment.states import ChannelState


class ReminderSerializer(serializers.ModelSerializer):
    """Reads `user` and `message`: select them."""

    user = DevicePersonSerializer(read_only=True)
    enrollment = serializers.UUIDField(source="session_id", read_only=True, allow_null=True)
    invitation = serializers.UUIDField(source="invitation_id", read_only=True, allow_null=True)
    result = serializers.CharField(
        source="words", read_only=True, help_text="What came back, or why it waits."
    )

    class Meta:
        model = Notice
        fields: ClassVar = [
            "id",
            "user",
            "enrollment",
            "invitation",
            "kind",
            "channel",
            "recipient",
            "number",
            "status",
            "result",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields


class ReminderFilterSet(django_filters.FilterSet):
    user = django_filters.UUIDFilter(field_name="user_id")
    enrollment = django_filters.UUIDFilter(field_name="session_id")
    invitation = django_filters.UUIDFilter(field_name="invitation_id")
    kind = django_filters.ChoiceFilter(choices=NoticeKind.choices)
    channel = django_filters.ChoiceFilter(choices=NoticeChannel.choices)
    status = django_filters.ChoiceFilter(choices=NoticeStatus.choices)

    class Meta:
        model = Notice
        fields: ClassVar[list[str]] = []


class ReminderViewSet(ReadOnlyApiViewSet):
    """What was sent to whom over which channel, and what came back."""

    queryset = Notice.objects.select_related("user", "message")
    serializer_class = ReminderSerializer
    filterset_class = ReminderFilterSet
    permissions: ClassVar = {"list": "invitations.view", "retrieve": "invitations.view"}


class ReminderChannelSerializer(serializers.Serializer):
    channel = serializers.CharField(source="purpose")
    state = serializers.ChoiceField(choices=ChannelState.choices)
    facts = serializers.DictField(child=serializers.CharField())
    installed_at = serializers.DateTimeField(allow_null=True)
    refused_reason = serializers.CharField(allow_blank=True)
    refused_since = serializers.DateTimeField(allow_null=True)
    addresses = serializers.IntegerField(help_text="How many apps or browsers can be reached.")


class ApnsKeySerializer(StrictSerializer):
    key = serializers.CharField(max_length=push_keys.MAX_FILE, help_text="The .p8 file, PEM.")
    key_id = serializers.CharField(max_length=20)
    team_id = serializers.CharField(max_length=20)
    topic = serializers.CharField(max_length=155, help_text="Bundle identifier of the app.")


class ServiceAccountSerializer(StrictSerializer):
    service_account = serializers.JSONField(help_text="The JSON file of the Firebase console.")


class ChannelCredentialsSerializer(StrictSerializer):
    """For app_apns `key`, `key_id`, `team_id` and `topic`; for app_fcm `service_account`; for
    web_push nothing."""

    key = serializers.CharField(max_length=push_keys.MAX_FILE, required=False)
    key_id = serializers.CharField(max_length=20, required=False)
    team_id = serializers.CharField(max_length=20, required=False)
    topic = serializers.CharField(max_length=155, required=False)
    service_account = serializers.JSONField(required=False)


class ChannelTestSerializer(serializers.Serializer):
    is_good = serializers.BooleanField()
    is_shown = serializers.BooleanField(help_text="Sent to the owner's own app or browser.")
    message = serializers.CharField()


class ReminderChannelView(ApiViewSet):
    """The credentials of push services; a key is never a field of an answer."""

    queryset = StoredKey.objects.none()
    serializer_class = ReminderChannelSerializer
    pagination_class = None
    permissions: ClassVar = {
        "list": "settings.view",
        "install": "settings.manage",
        "remove": "settings.manage",
        "test": "settings.manage",
    }

    @extend_schema(responses={200: ReminderChannelSerializer(many=True)})
    def list(self, request: Request) -> Response:
        """Every push channel and whether it works. Mail is always there."""
        return self._all(request)

    @extend_schema(
        request=ChannelCredentialsSerializer,
        responses={200: ReminderChannelSerializer(many=True)},
    )
    def install(self, request: Request, purpose: str) -> Response:
        """Set up a channel, in place of what was there."""
        user, known = request.user, _known(purpose)
        who: dict[str, Any] = {"tenant": user.tenant, "actor": user.actor}
        if known == KeyPurpose.APP_APNS:
            body = self._body(request, ApnsKeySerializer)
            content = body.pop("key").encode()
            push_keys.install_apns(content=content, **body, **who)
        elif known == KeyPurpose.APP_FCM:
            body = self._body(request, ServiceAccountSerializer)
            content = json.dumps(body["service_account"]).encode()
            push_keys.install_fcm(content=content, **who)
        else:
            push_keys.make_web_push(**who)
        return self._all(request)

    @extend_schema(request=None, responses={204: None})
    def remove(self, request: Request, purpose: str) -> Response:
        """Erase the credentials of a channel; what waits on it fails."""
        user = request.user
        if not push_keys.remove(tenant=user.tenant, purpose=_known(purpose), actor=user.actor):
            raise Http404
        return Response(status=204)

    @extend_schema(request=None, responses={200: ChannelTestSerializer}, parameters=[PARAMETER])
    @idempotent
    def test(self, request: Request, purpose: str) -> Response:
        """Send a test to the token owner's own app or browser, else ask the service about us."""
        user = request.user
        tested = push_test.test(
            tenant=user.tenant, purpose=_known(purpose), user=user.owner, actor=user.actor
        )
        return Response(ChannelTestSerializer(tested).data)

    def _all(self, request: Request) -> Response:
        found = push_status.of(request.user.tenant)
        return Response(ReminderChannelSerializer(found, many=True).data)

    def _body(self, request: Request, kind: type) -> dict[str, Any]:
        body = kind(data=request.data)
        body.is_valid(raise_exception=True)
        return body.validated_data


def _known(purpose: str) -> KeyPurpose:
    if purpose not in push_keys.PURPOSES:
        raise Http404
    return KeyPurpose(purpose)
