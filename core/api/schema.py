"""The OpenAPI document: for those who may use the API, with the one shape of its errors."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.settings import api_settings

ERROR = {"$ref": "#/components/schemas/Error"}
ERROR_COMPONENT = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "Stable, for programs."},
                "message": {"type": "string", "description": "For people, in their language."},
                "fields": {
                    "type": "object",
                    "additionalProperties": {},
                    "description": "What to mend, by field.",
                },
            },
        }
    },
}


def with_errors(result: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """Give every operation the answer that all refusals share."""
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR_COMPONENT
    answer = {"description": "Refused", "content": {"application/json": {"schema": ERROR}}}
    for path in result.get("paths", {}).values():
        for operation in path.values():
            operation.setdefault("responses", {})["default"] = answer
    return result


def only_api(endpoints: list[tuple], **_options: Any) -> list[tuple]:
    """Keep the calls of automation: the document names no other surface."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/")]


def only_client(endpoints: list[tuple], **_options: Any) -> list[tuple]:
    """Keep the calls of client apps, which have a document of their own."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/client/")]


class _ForSignedIn:
    authentication_classes = (SessionAuthentication, *api_settings.DEFAULT_AUTHENTICATION_CLASSES)
    permission_classes = (IsAuthenticated,)


class SchemaView(_ForSignedIn, SpectacularAPIView): ...


class DocumentationView(_ForSignedIn, SpectacularSwaggerSplitView):
    """The page for reading and trying; its script is a file of its own, as our CSP asks."""

    @extend_schema(exclude=True)
    def get(self, request, *args, **kwargs):
        answer = super().get(request, *args, **kwargs)
        # The library opens its pages to windows of other sites for a way to sign in that is not
        # offered here.
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return answer
