"""API: custom attributes, and their values on devices and people."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import grouping
from accounts.filters import AttributeFilterSet
from accounts.models import AttributeDefinition
from accounts.services import attributes
from core.api.idempotency import PARAMETER, idempotent
from core.api.serializers import StrictModelSerializer, StrictSerializer
from core.api.views import ReadOnlyApiViewSet
from core.rules.values import plain

FIELDS = ["owner_kind", "key", "label", "kind", "description"]


class AttributeSerializer(serializers.ModelSerializer):
    class Meta:
        model = AttributeDefinition
        fields: ClassVar = ["id", *FIELDS, "created_at"]
        read_only_fields = fields


class AttributeCreateSerializer(StrictModelSerializer):
    class Meta:
        model = AttributeDefinition
        fields: ClassVar = FIELDS
        # That a key is taken is for the service to say.
        validators: ClassVar = []


class AttributeEditSerializer(StrictModelSerializer):
    class Meta:
        model = AttributeDefinition
        fields: ClassVar = ["label", "description"]


class ValuesSerializer(StrictSerializer):
    values = serializers.DictField(
        allow_empty=True,
        help_text="By key of the attribute. Null or an empty text clears a value; keys that are "
        "left out stay as they are. Numbers come as texts, days as 2026-01-31.",
    )

    def validate_values(self, found: dict[str, Any]) -> dict[str, Any]:
        if len(found) > attributes.MAX_ATTRIBUTES:
            raise serializers.ValidationError("Too many.")
        return found


class AttributeViewSet(ReadOnlyApiViewSet):
    """What an organisation wants to know of devices and people beyond what is built in."""

    queryset = AttributeDefinition.objects.all()
    serializer_class = AttributeSerializer
    filterset_class = AttributeFilterSet
    sorts: ClassVar = ("created_at", "label", "key")
    permissions: ClassVar = {
        "list": "settings.view",
        "retrieve": "settings.view",
        "create": "attributes.manage",
        "partial_update": "attributes.manage",
        "destroy": "attributes.manage",
    }

    @extend_schema(
        request=AttributeCreateSerializer,
        responses={201: AttributeSerializer},
        parameters=[PARAMETER],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Define an attribute. Key and type never change."""
        body = AttributeCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = request.user
        made = attributes.define(tenant=user.tenant, actor=user.actor, **body.validated_data)
        return Response(AttributeSerializer(made).data, status=201)

    @extend_schema(request=AttributeEditSerializer, responses={200: AttributeSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.get_object()
        body = AttributeEditSerializer(row, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        changed = attributes.edit(attribute=row, actor=request.user.actor, **body.validated_data)
        return Response(AttributeSerializer(changed).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an attribute that no rule asks for, with all its values."""
        attributes.delete(attribute=self.get_object(), actor=request.user.actor)
        return Response(status=204)


def answer_values(request: Request, shape_key: str, member: Any) -> Response:
    """Show the values of one device or person, or set them first: body of both viewsets."""
    shape = grouping.get(shape_key)
    if request.method == "PATCH":
        body = ValuesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        attributes.set_values(
            shape=shape, member=member, actor=request.user.actor, **body.validated_data
        )
    found = attributes.values_of(shape=shape, member=member)
    return Response({"values": {key: plain(value) for key, value in sorted(found.items())}})
