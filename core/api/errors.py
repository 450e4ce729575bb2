"""The one JSON shape of every refusal of the API."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from core.errors import DomainError


def handle(exc: Exception, context: dict) -> Response | None:
    """Answer ``{"error": {"code", "message", "fields"?}}`` for domain and framework errors."""
    if isinstance(exc, DomainError):
        set_rollback()
        fields = {exc.field: [exc.message]} if exc.field else None
        return _response(exc.code, exc.message, exc.status, fields)
    if isinstance(exc, ValidationError):
        set_rollback()
        fields = getattr(exc, "message_dict", None)
        return _response("invalid", "; ".join(exc.messages), 400, fields)
    response = exception_handler(exc, context)
    if response is None:
        return None
    detail = response.data
    is_form = isinstance(detail, dict) and "detail" not in detail
    message = "" if is_form else str(getattr(detail, "get", lambda *_: detail)("detail", detail))
    code = "invalid" if is_form else getattr(exc, "default_code", "error")
    return _response(
        code, message, response.status_code, detail if is_form else None, dict(response.headers)
    )


def _response(code, message, status, fields=None, headers=None) -> Response:
    error = {"code": code, "message": message}
    if fields:
        error["fields"] = fields
    return Response({"error": error}, status=status, headers=headers)
