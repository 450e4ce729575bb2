"""API: versions of the terms of service."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import serializers
from accounts.models import TermsOfService
from accounts.services import terms
from core.api.idempotency import PARAMETER, idempotent
from core.api.views import ReadOnlyApiViewSet


class TermsViewSet(ReadOnlyApiViewSet):
    """What people accept before they register a device."""

    queryset = TermsOfService.objects.with_counts()
    serializer_class = serializers.TermsSerializer
    permissions: ClassVar = {
        "list": "settings.view",
        "retrieve": "settings.view",
        "create": "settings.manage",
        "retire": "settings.manage",
        "destroy": "settings.manage",
    }

    @extend_schema(
        request=serializers.TermsPublishSerializer,
        responses={201: serializers.TermsSerializer},
        parameters=[PARAMETER],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Publish the next version; it takes the place of the one before."""
        body = serializers.TermsPublishSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = request.user
        made = terms.publish(tenant=user.tenant, actor=user.actor, **body.validated_data)
        return self._shown(made, status=201)

    @extend_schema(request=None, responses={200: serializers.TermsSerializer})
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:
        """Ask nobody for this version any more."""
        return self._shown(terms.retire(terms=self.get_object(), actor=request.user.actor))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a version that nobody accepted."""
        terms.delete(terms=self.get_object(), actor=request.user.actor)
        return Response(status=204)

    def _shown(self, row: TermsOfService, status: int = 200) -> Response:
        fresh = self.get_queryset().get(pk=row.pk)
        return Response(self.get_serializer(fresh).data, status=status)
