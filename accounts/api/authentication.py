"""Signs in API calls by a bearer token."""

from __future__ import annotations

import hashlib

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import ApiToken
from core import clock

LAST_USED_EVERY_SECONDS = 60


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` only; a token in the query string is never looked at."""

    keyword = "Bearer"

    def authenticate(self, request):
        parts = request.headers.get("Authorization", "").split()
        if len(parts) != 2 or parts[0].lower() != self.keyword.lower():
            return None
        now = clock.now()
        token = (
            ApiToken.objects.live(now)
            .filter(hash=hashlib.sha256(parts[1].encode()).hexdigest())
            .select_related("owner", "tenant")
            .first()
        )
        if token is None:
            raise AuthenticationFailed
        last = token.last_used_at
        if last is None or (now - last).total_seconds() > LAST_USED_EVERY_SECONDS:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token, token

    def authenticate_header(self, request) -> str:
        return self.keyword


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer"}
