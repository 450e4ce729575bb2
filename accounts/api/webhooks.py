"""API: webhooks."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.serializers import StrictSerializer
from core.api.views import ReadOnlyApiViewSet
from core.models import Webhook
from core.models.webhook import MAX_URL
from core.services import webhooks


class WebhookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Webhook
        fields: ClassVar = [
            "id",
            "name",
            "url",
            "topics",
            "is_active",
            "failures",
            "stopped_reason",
            "delivered_at",
            "created_at",
        ]


class WebhookWriteSerializer(StrictSerializer):
    name = serializers.CharField(max_length=80)
    url = serializers.CharField(max_length=MAX_URL)
    topics = serializers.ListField(
        child=serializers.ChoiceField(choices=webhooks.TOPICS), required=False, max_length=10
    )


class WebhookMadeSerializer(WebhookSerializer):
    secret = serializers.CharField(help_text="Shown this once.")

    class Meta(WebhookSerializer.Meta):
        fields: ClassVar = [*WebhookSerializer.Meta.fields, "secret"]


class WebhookViewSet(ReadOnlyApiViewSet):
    """Addresses of other systems that are told what happens."""

    queryset = Webhook.objects.all()
    serializer_class = WebhookSerializer
    permissions: ClassVar = {
        "list": "settings.view",
        "retrieve": "settings.view",
        "create": "settings.manage",
        "partial_update": "settings.manage",
        "destroy": "settings.manage",
        "test": "settings.manage",
        "resume": "settings.manage",
    }

    @extend_schema(
        request=WebhookWriteSerializer,
        responses={201: WebhookMadeSerializer},
    )
    def create(self, request: Request) -> Response:
        """Add a webhook; its secret is in this answer only."""
        body = WebhookWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = request.user
        hook, secret = webhooks.create(tenant=user.tenant, actor=user.actor, **body.validated_data)
        return Response({**WebhookSerializer(hook).data, "secret": secret}, status=201)

    @extend_schema(request=WebhookWriteSerializer, responses={200: WebhookSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        hook = self.get_object()
        body = WebhookWriteSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        changed = webhooks.change(hook=hook, actor=request.user.actor, **body.validated_data)
        return Response(WebhookSerializer(changed).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a webhook with its secret."""
        webhooks.delete(hook=self.get_object(), actor=request.user.actor)
        return Response(status=204)

    @extend_schema(request=None, responses={202: None})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send an event that tells of nothing but itself."""
        webhooks.send_test(hook=self.get_object(), actor=request.user.actor)
        return Response(status=202)

    @extend_schema(request=None, responses={200: WebhookSerializer})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Tell again, beginning with what it missed while it was stopped."""
        hook = self.get_object()
        webhooks.resume(hook=hook, actor=request.user.actor)
        hook.refresh_from_db()
        return Response(WebhookSerializer(hook).data)
