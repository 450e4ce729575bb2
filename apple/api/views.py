"""API: the push certificate from the signing request to its renewal."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apple.api import serializers
from apple.services import push_certificate, push_health, push_store
from core.api.idempotency import PARAMETER, idempotent
from core.api.views import ApiViewSet
from core.models import StoredKey


class PushView(ApiViewSet):
    """How this organisation reaches its Apple devices."""

    queryset = StoredKey.objects.none()
    serializer_class = serializers.PushStatusSerializer
    pagination_class = None
    permissions: ClassVar = {
        "retrieve": "settings.view",
        "requests": "settings.manage",
        "ask": "settings.manage",
        "upload": "settings.manage",
        "resume": "settings.manage",
    }

    def retrieve(self, request: Request) -> Response:
        return self._status(request)

    @extend_schema(responses={200: serializers.PushRequestSerializer(many=True)})
    def requests(self, request: Request) -> Response:
        """The signing requests that nobody answered yet."""
        rows = push_store.open_requests(request.user.tenant_id)
        return Response(serializers.PushRequestSerializer(rows, many=True).data)

    @extend_schema(
        request=None,
        responses={201: serializers.PushRequestSerializer},
        parameters=[PARAMETER],
    )
    @idempotent
    def ask(self, request: Request) -> Response:
        """Make a key and a signing request for it."""
        row = push_certificate.request(tenant=request.user.tenant, actor=request.user.actor)
        return Response(serializers.PushRequestSerializer(row).data, status=201)

    @extend_schema(request=serializers.PushUploadSerializer)
    def upload(self, request: Request) -> Response:
        """Install the certificate that Apple made from a signing request."""
        body = serializers.PushUploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        push_certificate.upload(
            tenant=request.user.tenant,
            content=body.validated_data["certificate"].encode(),
            confirmation=body.validated_data["confirmation"],
            actor=request.user.actor,
        )
        return self._status(request)

    @extend_schema(request=None)
    def resume(self, request: Request) -> Response:
        """Push again after Apple refused the certificate."""
        row = push_certificate.status(request.user.tenant).row
        if row is not None:
            push_health.resume(row=row, actor=request.user.actor)
        return self._status(request)

    def _status(self, request: Request) -> Response:
        status = push_certificate.status(request.user.tenant)
        return Response(self.get_serializer(status).data)
