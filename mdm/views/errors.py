"""Error pages: what happened, what to do, and an incident id to ask about."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from structlog.contextvars import get_contextvars

RETRY_AFTER_SECONDS = "30"
# What a program gets instead of a page; the shape is that of `core.api.errors`.
API_PREFIX = "/api/"
API_WORDS = {
    404: ("not_found", "There is nothing at this address."),
    413: ("body_too_large", "The request body is too large."),
    500: ("fault", "The fault is on our side and has been recorded."),
    503: ("unavailable", "The server cannot answer at the moment. Try again."),
}


def error_page(request: HttpRequest, status: int, template: str, **context) -> HttpResponse:
    context["incident"] = get_contextvars().get("request_id", "")
    if status >= 500:
        # What broke may be the database or the session, so this page asks for neither.
        return HttpResponse(render_to_string(f"{template}.html", context), status=status)
    return render(request, f"{template}.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 400, "400")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, 403, "403")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(request, 403, "403", is_csrf=True)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if request.path_info.startswith(API_PREFIX):
        return _for_program(404)
    return error_page(request, 404, "404")


def too_large(request: HttpRequest) -> HttpResponse:
    """Refuse a body; said before anything is known of the request, so without the portal."""
    if request.path_info.startswith(API_PREFIX):
        return _for_program(413)
    return HttpResponse(render_to_string("413.html", {}), status=413)


def server_error(request: HttpRequest) -> HttpResponse:
    """Tell a fault of ours; a database that is away or overloaded is 503, and soon over."""
    is_passing = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    status = 503 if is_passing else 500
    is_program = request.path_info.startswith(API_PREFIX)
    response = _for_program(status) if is_program else error_page(request, status, str(status))
    if is_passing:
        response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def _for_program(status: int) -> HttpResponse:
    code, message = API_WORDS[status]
    return JsonResponse({"error": {"code": code, "message": message}}, status=status)
