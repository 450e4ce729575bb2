"""API: groups, their rules and members. Devices and people share everything but their rows."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import grouping
from accounts.filters import GroupFilterSet
from accounts.grouping import Shape
from accounts.models import GroupKind, UserGroup
from accounts.services import group_rules, groups
from core.api.idempotency import PARAMETER, idempotent
from core.api.serializers import StrictSerializer
from core.api.views import ReadOnlyApiViewSet
from core.rules.fields import KINDS, Op
from core.rules.tree import dump

MOST = 1000
RULE_HELP = (
    'A branch is {"match": "all" or "any", "rules": [...]}, a condition is {"field": ..., '
    '"operator": ..., "value": ...}. What can be asked is told by `fields/`.'
)


class GroupSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField(source="label")
    description = serializers.CharField()
    kind = serializers.ChoiceField(choices=GroupKind.choices)
    key = serializers.CharField(help_text="Names a built-in group, empty otherwise.")
    rule = serializers.SerializerMethodField()
    member_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    recomputed_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(serializers.JSONField(allow_null=True, help_text=RULE_HELP))
    def get_rule(self, group: Any) -> Any:
        return None if group.is_manual else group.rule


class GroupEditSerializer(StrictSerializer):
    name = serializers.CharField(max_length=80)
    description = serializers.CharField(
        max_length=300, required=False, allow_blank=True, default=""
    )
    rule = serializers.JSONField(required=False, allow_null=True, default=None, help_text=RULE_HELP)


class RuleSerializer(StrictSerializer):
    rule = serializers.JSONField(help_text=RULE_HELP)


class SampleSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField(source="__str__")


class PreviewSerializer(serializers.Serializer):
    rule = serializers.SerializerMethodField()
    total = serializers.IntegerField()
    sample = SampleSerializer(many=True)

    @extend_schema_field(serializers.JSONField())
    def get_rule(self, found: Any) -> Any:
        return dump(found.rule)


class FieldSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField(source="label")
    kind = serializers.ChoiceField(choices=KINDS)
    operators = serializers.ListField(child=serializers.ChoiceField([op.value for op in Op]))
    choices = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_choices(self, field: Any) -> dict[str, str]:
        return {key: str(label) for key, label in field.choices}


class MembersSerializer(StrictSerializer):
    add = serializers.ListField(
        child=serializers.UUIDField(), max_length=MOST, required=False, default=list
    )
    remove = serializers.ListField(
        child=serializers.UUIDField(), max_length=MOST, required=False, default=list
    )


class GroupViewSet(ReadOnlyApiViewSet):
    """Groups. Their members are found by the `group` filter of the list of devices or people."""

    serializer_class = GroupSerializer
    filterset_class = GroupFilterSet
    shape_key = ""
    sorts: ClassVar = ("created_at", "name")
    permissions: ClassVar = {
        "list": "groups.view",
        "retrieve": "groups.view",
        "fields": "groups.view",
        "create": "groups.manage",
        "partial_update": "groups.manage",
        "destroy": "groups.manage",
        "members": "groups.manage",
        "preview": "groups.manage",
    }

    @property
    def shape(self) -> Shape:
        return grouping.get(self.shape_key)

    @extend_schema(
        request=GroupEditSerializer, responses={201: GroupSerializer}, parameters=[PARAMETER]
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Make a manual group, or with a rule a dynamic one. Its members appear within seconds."""
        body = self._body(request, GroupEditSerializer)
        if body["rule"] is not None:
            group_rules.check_may_ask(self.shape, request.user)
        group = groups.create(
            shape=self.shape, tenant=request.user.tenant, actor=request.user.actor, **body
        )
        return self._shown(group, status=201)

    @extend_schema(request=GroupEditSerializer, responses={200: GroupSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change name, description or rule. A group stays manual or dynamic."""
        group = self.get_object()
        body = GroupEditSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        given = {name: body.validated_data[name] for name in body.validated_data}
        if given.get("rule") is not None:
            group_rules.check_may_ask(self.shape, request.user)
        return self._shown(groups.edit(group=group, actor=request.user.actor, **given))

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a group that nothing uses; its members stay."""
        groups.delete(group=self.get_object(), actor=request.user.actor)
        return Response(status=204)

    @extend_schema(request=MembersSerializer, responses={200: GroupSerializer})
    @action(detail=True, methods=["post"])
    def members(self, request: Request, pk: str) -> Response:
        """Put rows into a manual group and take others out, all or nothing."""
        group = self.get_object()
        body = self._body(request, MembersSerializer)
        groups.move_members(group=group, actor=request.user.actor, **body)
        return self._shown(group)

    @extend_schema(request=RuleSerializer, responses={200: PreviewSerializer})
    @action(detail=False, methods=["post"], filter_backends=[])
    def preview(self, request: Request) -> Response:
        """Tell what a rule would choose now: how many, and the first ten."""
        body = self._body(request, RuleSerializer)
        found = group_rules.preview(shape=self.shape, principal=request.user, rule=body["rule"])
        return Response(PreviewSerializer(found).data)

    @extend_schema(responses={200: FieldSerializer(many=True)})
    @action(detail=False, pagination_class=None, filter_backends=[])
    def fields(self, request: Request) -> Response:
        """Tell what rules may ask: fields, their kinds, operators and values."""
        known = self.shape.catalogue(request.user.tenant_id).values()
        return Response(FieldSerializer(list(known), many=True).data)

    def _body(self, request: Request, kind: type[StrictSerializer]) -> dict[str, Any]:
        body = kind(data=request.data)
        body.is_valid(raise_exception=True)
        return body.validated_data

    def _shown(self, group: Any, status: int = 200) -> Response:
        fresh = self.get_queryset().get(pk=group.pk)
        return Response(GroupSerializer(fresh).data, status=status)


class UserGroupViewSet(GroupViewSet):
    """Groups of people. Their members are found by `GET /users/?group=<id>`."""

    queryset = UserGroup.objects.all()
    shape_key = "user"
