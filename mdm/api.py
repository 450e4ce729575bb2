"""API: what the server finds when it examines itself."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import ratelimit
from core.api.views import ApiViewSet, TooManyCalls
from core.models import Tenant
from mdm.diagnosis.examination import examine_for
from mdm.diagnosis.findings import Level


class FindingSerializer(serializers.Serializer):
    key = serializers.CharField(help_text="Stable, for monitors.")
    level = serializers.ChoiceField(
        source="level_name", choices=[level.name.lower() for level in Level]
    )
    text = serializers.CharField()
    remedy = serializers.CharField(allow_blank=True)


class HealthView(ApiViewSet):
    """The checks of `manage.py doctor` for one organisation."""

    queryset = Tenant.objects.all()
    permissions: ClassVar = {"retrieve": "settings.view"}

    @extend_schema(responses={200: FindingSerializer(many=True)})
    def retrieve(self, request: Request) -> Response:
        """Examine the server now, the worst first; takes seconds while others do not answer."""
        if not ratelimit.allow("health", str(request.user.pk), capacity=20, refill_seconds=60):
            raise TooManyCalls
        return Response(FindingSerializer(examine_for(request.user.tenant), many=True).data)
