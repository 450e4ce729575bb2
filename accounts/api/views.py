"""API: people and their roles, the enrollment policy, the organisation, tokens."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import serializers
from accounts.api.attributes import ValuesSerializer, answer_values
from accounts.errors import ForeignObject, NotAllowedToGrant
from accounts.filters import UserFilterSet
from accounts.models import ApiToken, Role, User, UserSettings
from accounts.services import settings, tokens, users
from core import clock
from core.api.idempotency import PARAMETER, idempotent
from core.api.views import ApiViewSet, ReadOnlyApiViewSet
from core.models import Tenant

SETTINGS_PERMISSIONS = {"retrieve": "settings.view", "partial_update": "settings.manage"}


class UserViewSet(ReadOnlyApiViewSet):
    """People: administrators and those who enroll devices."""

    queryset = User.objects.select_related("tenant").prefetch_related("roles")
    serializer_class = serializers.UserSerializer
    filterset_class = UserFilterSet
    sorts: ClassVar = ("created_at", "email", "last_name")
    permissions: ClassVar = {
        "list": "users.view",
        "retrieve": "users.view",
        "create": "users.manage",
        "partial_update": "users.manage",
        "enable": "users.manage",
        "disable": "users.manage",
        "roles": "roles.assign",
        "attributes": "users.view",
        "set_attributes": "attributes.set",
    }

    @extend_schema(
        request=serializers.UserCreateSerializer,
        responses={201: serializers.UserSerializer},
        parameters=[PARAMETER],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a person without a password and without inviting them."""
        body = serializers.UserCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = users.create(
            tenant=request.user.tenant, actor=request.user.actor, **body.validated_data
        )
        return self._shown(user, status=201)

    @extend_schema(
        request=serializers.UserEditSerializer, responses={200: serializers.UserSerializer}
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        user = self.get_object()
        body = serializers.UserEditSerializer(user, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        users.edit(user=user, actor=request.user.actor, **body.validated_data)
        return self._shown(user)

    @extend_schema(request=None, responses={200: serializers.UserSerializer})
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str) -> Response:
        return self._switch(request, enabled=True)

    @extend_schema(request=None, responses={200: serializers.UserSerializer})
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """Disable a person: ends their sessions, links and tokens; devices stay managed."""
        return self._switch(request, enabled=False)

    @extend_schema(request=None, responses={200: ValuesSerializer})
    @action(detail=True, filter_backends=[])
    def attributes(self, request: Request, pk: str) -> Response:
        """The custom attributes of this person, by key; what is empty is left out."""
        return answer_values(request, "user", self.get_object())

    @extend_schema(request=ValuesSerializer, responses={200: ValuesSerializer})
    @attributes.mapping.patch
    def set_attributes(self, request: Request, pk: str) -> Response:
        """Set or clear custom attributes of this person."""
        return answer_values(request, "user", self.get_object())

    @extend_schema(request=serializers.RolesSerializer, responses={200: serializers.UserSerializer})
    @action(detail=True, methods=["put"])
    def roles(self, request: Request, pk: str) -> Response:
        """Replace the roles of a person. Nobody gives or takes what they lack."""
        user = self.get_object()
        body = serializers.RolesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        keys = set(body.validated_data["roles"])
        found = list(Role.objects.visible_to(request.user).filter(key__in=keys))
        if len(found) != len(keys):
            raise ForeignObject
        users.set_roles(user=user, roles=found, principal=request.user)
        return self._shown(user)

    def _switch(self, request: Request, *, enabled: bool) -> Response:
        user = self.get_object()
        users.set_enabled(user=user, enabled=enabled, actor=request.user.actor)
        return self._shown(user)

    def _shown(self, user: User, status: int = 200) -> Response:
        fresh = User.objects.prefetch_related("roles").get(pk=user.pk)
        return Response(serializers.UserSerializer(fresh).data, status=status)


class RoleViewSet(mixins.ListModelMixin, ApiViewSet):
    """The roles that people can have."""

    queryset = Role.objects.all()
    serializer_class = serializers.RoleSerializer
    permissions: ClassVar = {"list": "users.view"}


class TokenViewSet(ReadOnlyApiViewSet):
    """Tokens of the API. A token makes tokens that can do no more and live no longer than it."""

    queryset = ApiToken.objects.select_related("owner")
    serializer_class = serializers.TokenSerializer
    permissions: ClassVar = {
        "list": "settings.view",
        "retrieve": "settings.view",
        "create": "tokens.manage",
        "destroy": "tokens.manage",
    }

    @extend_schema(
        request=serializers.TokenCreateSerializer,
        responses={201: serializers.TokenCreatedSerializer},
    )
    def create(self, request: Request) -> Response:
        """Make a token for the owner of the one that asks; its text is in this answer only."""
        body = serializers.TokenCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted, own = body.validated_data, request.user
        if not all(map(own.has, wanted["scopes"])):
            raise NotAllowedToGrant
        self._check_end(wanted["expires_at"], own)
        token, text = tokens.create(owner=own.owner, actor=own.actor, **wanted)
        token.token = text
        return Response(serializers.TokenCreatedSerializer(token).data, status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        """Revoke a token; programs that use it are refused from now on."""
        tokens.revoke(token=self.get_object(), actor=request.user.actor)
        return Response(status=204)

    @staticmethod
    def _check_end(wanted: Any, own: ApiToken) -> None:
        if wanted is not None and wanted <= clock.now():
            raise exceptions.ValidationError({"expires_at": [_("This moment has passed.")]})
        if own.expires_at is not None and (wanted is None or wanted > own.expires_at):
            message = _("A token cannot outlive the one that makes it.")
            raise exceptions.ValidationError({"expires_at": [message]})


class SettingsView(ApiViewSet):
    """One row that a tenant has exactly once."""

    pagination_class = None
    permissions: ClassVar = SETTINGS_PERMISSIONS
    subject = ""

    def retrieve(self, request: Request) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    def partial_update(self, request: Request) -> Response:
        row = self.get_object()
        body = self.get_serializer(row, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        fresh = self.change(**{self.subject: row}, actor=request.user.actor, **body.validated_data)
        return Response(self.get_serializer(fresh).data)


class PolicyView(SettingsView):
    """How people enroll their devices; a change holds for later invitations and profiles."""

    queryset = UserSettings.objects.filter(is_default=True)
    serializer_class = serializers.PolicySerializer
    change = staticmethod(settings.change_policy)
    subject = "policy"

    def get_object(self) -> UserSettings:
        return self.get_queryset().get()


class OrganisationView(SettingsView):
    """The organisation itself."""

    queryset = Tenant.objects.all()
    serializer_class = serializers.OrganisationSerializer
    change = staticmethod(settings.change_organisation)
    subject = "tenant"

    def get_object(self) -> Tenant:
        # Freshly read: the service compares with what is stored.
        return Tenant.objects.get(pk=self.request.user.tenant_id)
