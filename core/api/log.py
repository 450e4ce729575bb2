"""API: the change history, and the outbox of mails."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ReadOnlyApiViewSet
from core.errors import DomainError
from core.history_filters import HistoryFilterSet
from core.models import HistoryEntry, OutboxMessage, OutboxStatus
from core.services import delivery


class NotQuarantined(DomainError):
    code = "not_quarantined"
    status = 409
    message = "This message is not waiting for a decision any more."


class ActorSerializer(serializers.Serializer):
    kind = serializers.CharField(source="actor_kind")
    id = serializers.CharField(source="actor_id")
    label = serializers.CharField(source="actor_label")


class AboutSerializer(serializers.Serializer):
    type = serializers.CharField(source="object_type")
    id = serializers.CharField(source="object_id")
    label = serializers.CharField(source="object_label")


class HistorySerializer(serializers.ModelSerializer):
    actor = ActorSerializer(source="*")
    about = AboutSerializer(source="*")

    class Meta:
        model = HistoryEntry
        fields: ClassVar = [
            "id",
            "at",
            "action",
            "actor",
            "about",
            "ip",
            "request_id",
            "data",
            "chain_index",
            "chain_hash",
        ]
        read_only_fields = fields


class HistoryViewSet(ReadOnlyApiViewSet):
    """Who did what, and when; nothing here can be changed."""

    queryset = HistoryEntry.objects.all()
    serializer_class = HistorySerializer
    filterset_class = HistoryFilterSet
    lookup_value_converter = "int"
    sorts: ClassVar = ("id",)
    default_sort = "-id"
    permissions: ClassVar = {"list": "history.view", "retrieve": "history.view"}


class MessageSerializer(serializers.ModelSerializer):
    class Meta:
        model = OutboxMessage
        fields: ClassVar = [
            "id",
            "kind",
            "recipient",
            "status",
            "attempts",
            "last_error",
            "created_at",
            "due_at",
            "finished_at",
        ]
        read_only_fields = fields


class MessageFilterSet(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=OutboxStatus.choices)

    class Meta:
        model = OutboxMessage
        fields: ClassVar[list[str]] = []


class MessageViewSet(ReadOnlyApiViewSet):
    """Mails that leave, left, or could not; never what is in them."""

    queryset = OutboxMessage.objects.all()
    serializer_class = MessageSerializer
    filterset_class = MessageFilterSet
    permissions: ClassVar = {
        "list": "settings.view",
        "retrieve": "settings.view",
        "retry": "settings.manage",
    }

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Give a message that failed too often five new attempts."""
        message = self.get_object()
        if not delivery.retry_quarantined(message.pk, tenant_id=request.user.tenant_id):
            raise NotQuarantined
        return Response(self.get_serializer(self.get_object()).data)
