"""Signs in calls of client apps: a bearer token of an installation, and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from core.actors import Actor
from enrollment.models import ClientInstallation
from enrollment.services import installations


@dataclass(frozen=True)
class ClientPrincipal:
    """A person's client app. It holds no permission: it reaches its own attempt only."""

    installation: ClientInstallation
    ip: str

    is_authenticated = True
    is_anonymous = False

    @property
    def tenant_id(self):
        return self.installation.tenant_id

    @property
    def actor(self) -> Actor:
        user = self.installation.user
        return Actor("person", str(user.pk), user.email, self.ip)

    def has(self, permission: str) -> bool:
        return False


class ClientAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` only; tokens of the automation API mean nothing here."""

    keyword = "Bearer"

    def authenticate(self, request):
        parts = request.headers.get("Authorization", "").split()
        if len(parts) != 2 or parts[0].lower() != self.keyword.lower():
            return None
        installation = installations.by_token(parts[1])
        if installation is None:
            raise AuthenticationFailed
        return ClientPrincipal(installation, request.META.get("REMOTE_ADDR", "")), installation

    def authenticate_header(self, request) -> str:
        return self.keyword


class IsInstallation(BasePermission):
    def has_permission(self, request, view) -> bool:
        return isinstance(request.auth, ClientInstallation)


class ClientScheme(OpenApiAuthenticationExtension):
    target_class = "enrollment.api.client_authentication.ClientAuthentication"
    name = "installation"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer"}
