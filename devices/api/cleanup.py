"""API: rules that tidy up old device entries."""

from __future__ import annotations

from typing import ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.serializers import StrictModelSerializer
from core.api.views import ApiViewSet
from devices.models import CleanupKind, CleanupRule
from devices.services import cleanup


class CleanupSerializer(serializers.ModelSerializer):
    due = serializers.SerializerMethodField(help_text="How many entries a run would take now.")

    class Meta:
        model = CleanupRule
        fields: ClassVar = [
            "kind",
            "days",
            "limit",
            "schedule",
            "next_run_at",
            "last_run_at",
            "last_count",
            "due",
        ]

    def get_due(self, rule: CleanupRule) -> int:
        return cleanup.due(rule).count()


class CleanupEditSerializer(StrictModelSerializer):
    class Meta:
        model = CleanupRule
        fields: ClassVar = ["days", "limit", "schedule"]


class CleanupView(ApiViewSet):
    """One rule for each kind; a kind that nobody has touched shows what it would begin with."""

    queryset = CleanupRule.objects.all()
    serializer_class = CleanupSerializer
    pagination_class = None
    permissions: ClassVar = {
        "rules": "settings.view",
        "partial_update": "settings.manage",
        "run": "settings.manage",
    }

    @extend_schema(responses={200: CleanupSerializer(many=True)})
    def rules(self, request: Request) -> Response:
        rows = cleanup.rules(request.user.tenant)
        return Response(CleanupSerializer(rows, many=True).data)

    @extend_schema(request=CleanupEditSerializer, responses={200: CleanupSerializer})
    def partial_update(self, request: Request, kind: str) -> Response:
        rule = self._find(request, kind)
        body = CleanupEditSerializer(rule, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        user = request.user
        done = cleanup.change(rule=rule, principal=user, actor=user.actor, **body.validated_data)
        return Response(CleanupSerializer(done).data)

    @extend_schema(request=None, responses={202: CleanupSerializer})
    def run(self, request: Request, kind: str) -> Response:
        """Run a rule now; `last_run_at` tells when it was done."""
        user, rule = request.user, self._find(request, kind)
        done = cleanup.run_now(rule=rule, principal=user, actor=user.actor)
        return Response(CleanupSerializer(done).data, status=202)

    def _find(self, request: Request, kind: str) -> CleanupRule:
        if kind not in CleanupKind.values:
            raise Http404
        return next(rule for rule in cleanup.rules(request.user.tenant) if rule.kind == kind)
