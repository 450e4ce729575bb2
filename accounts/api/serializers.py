"""People, roles, settings and tokens as JSON."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import serializers

from accounts.access import PERMISSIONS
from accounts.models import ApiToken, Role, TermsOfService, User, UserSettings
from accounts.services.settings import POLICY_FIELDS, TENANT_FIELDS
from accounts.services.users import EDITABLE
from core.api.serializers import StrictModelSerializer, StrictSerializer
from core.models import Tenant

SCOPES = sorted(PERMISSIONS)


class RoleSerializer(serializers.ModelSerializer):
    name = serializers.CharField(source="label", read_only=True)

    class Meta:
        model = Role
        fields: ClassVar = ["id", "key", "name", "permissions", "is_builtin"]


class UserSerializer(serializers.ModelSerializer):
    """Reads `roles`: prefetch them."""

    name = serializers.CharField(read_only=True)
    roles = serializers.SlugRelatedField(slug_field="key", many=True, read_only=True)

    class Meta:
        model = User
        fields: ClassVar = [
            "id",
            "email",
            "name",
            "first_name",
            "last_name",
            "language",
            "time_zone",
            "source",
            "is_active",
            "roles",
            "created_at",
        ]
        read_only_fields = fields


class UserEditSerializer(StrictModelSerializer):
    class Meta:
        model = User
        fields: ClassVar = [*EDITABLE]


class UserCreateSerializer(UserEditSerializer):
    # No field of the model: only the service may say that an address is taken, and not by whom.
    email = serializers.EmailField(max_length=254)

    class Meta(UserEditSerializer.Meta):
        fields: ClassVar = ["email", *EDITABLE]


class RolesSerializer(StrictSerializer):
    roles = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=50, help_text="Keys of roles."
    )


class PolicySerializer(StrictModelSerializer):
    class Meta:
        model = UserSettings
        fields: ClassVar = [*POLICY_FIELDS]


class TermsSerializer(serializers.ModelSerializer):
    accepted_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = TermsOfService
        fields: ClassVar = [
            "id",
            "version",
            "title",
            "text",
            "is_asked",
            "created_at",
            "retired_at",
            "accepted_count",
        ]
        read_only_fields = fields


class TermsPublishSerializer(StrictModelSerializer):
    class Meta:
        model = TermsOfService
        fields: ClassVar = ["title", "text", "is_asked"]


class OrganisationSerializer(StrictModelSerializer):
    class Meta:
        model = Tenant
        fields: ClassVar = ["id", "slug", *TENANT_FIELDS]
        read_only_fields: ClassVar = ["id", "slug"]


class TokenSerializer(serializers.ModelSerializer):
    owner = serializers.EmailField(source="owner.email", read_only=True)

    class Meta:
        model = ApiToken
        fields: ClassVar = [
            "id",
            "name",
            "prefix",
            "scopes",
            "owner",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        ]
        read_only_fields = fields


class TokenCreateSerializer(StrictSerializer):
    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=SCOPES), min_length=1, max_length=len(SCOPES)
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class TokenCreatedSerializer(TokenSerializer):
    token = serializers.CharField(help_text="Shown this once and never again.")

    class Meta(TokenSerializer.Meta):
        fields: ClassVar = [*TokenSerializer.Meta.fields, "token"]
        read_only_fields = fields
