"""Error pages: what happened, what to do, and an incident id to ask about."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from structlog.contextvars import get_contextvars


def error_page(request: HttpRequest, status: int, template: str, **context) -> HttpResponse:
    context["incident"] = get_contextvars().get("request_id", "")
    if status == 500:
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
    return error_page(request, 404, "404")


def server_error(request: HttpRequest) -> HttpResponse:
    return error_page(request, 500, "500")
