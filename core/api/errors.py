"""The one JSON shape of every refusal of the API."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from core.errors import DomainError

CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


def handle(exc: Exception, context: dict) -> Response | None:
    """Answer ``{"error": {"code", "message", "fields"?}}`` for domain and framework errors."""
    if isinstance(exc, DomainError):
        set_rollback()
        fields = {exc.field: [str(exc.message)]} if exc.field else None
        seconds = getattr(exc, "seconds", 0)
        headers = {"Retry-After": str(seconds)} if exc.status == 429 and seconds else None
        return _response(exc.code, str(exc.message), exc.status, fields, headers)
    if isinstance(exc, ValidationError):
        set_rollback()
        fields = exc.message_dict if hasattr(exc, "error_dict") else None
        return _response("invalid", " ".join(exc.messages), 400, fields)
    response = exception_handler(exc, context)
    if response is None:
        return None
    headers = {name: value for name, value in response.items() if name != "Content-Type"}
    fields = _fields(exc)
    message = " ".join(_texts(response.data))
    code = CODES.get(response.status_code, "error")
    return _response(code, message, response.status_code, fields, headers)


def _fields(exc: Exception) -> Any:
    is_form = isinstance(exc, exceptions.ValidationError) and isinstance(exc.detail, dict)
    return exc.detail if is_form else None


def _texts(data: Any) -> list[str]:
    """Return every sentence of a framework's error, however it is nested."""
    if isinstance(data, dict):
        return [text for value in data.values() for text in _texts(value)]
    if isinstance(data, list | tuple):
        return [text for value in data for text in _texts(value)]
    return [str(data)]


def _response(code, message, status, fields=None, headers=None) -> Response:
    error = {"code": code, "message": message}
    if fields:
        error["fields"] = fields
    return Response({"error": error}, status=status, headers=headers)
