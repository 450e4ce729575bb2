"""Middleware of the whole server: the device plane's short path, proxies, hosts, headers."""

from __future__ import annotations

import structlog
from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve
from django.views.defaults import bad_request

from core import net
from core.errors import DomainError
from mdm.views import errors

log = structlog.get_logger(__name__)
DEVICE_PREFIXES = ("/mdm/", "/agent/")
RETRY_AFTER_SECONDS = "60"
# Forms and API calls are small; the largest is a page of addresses.
PAGE_BODY_LIMIT = 2 * 1024 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class DevicePlaneMiddleware:
    """Serves the device endpoints without sessions, CSRF, redirects, cookies or languages.

    A fault of ours is 503 with Retry-After: a device that is told 401 removes its management
    profile, so nothing here may ever become one by accident.
    """

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(DEVICE_PREFIXES):
            return self.get_response(request)
        response = self._serve(request)
        # Without it the web server sends chunks, which small SCEP clients cannot read.
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _serve(self, request: HttpRequest) -> HttpResponse:
        try:
            match = resolve(request.path_info)
        except Http404:
            return HttpResponse(status=404)
        try:
            return match.func(request, *match.args, **match.kwargs)
        except DomainError as error:
            status = 400 if error.status == 401 else error.status
            return HttpResponse(status=status)
        except Exception:
            log.exception("device_plane.fault", path=request.path_info)
            return HttpResponse(status=503, headers={"Retry-After": RETRY_AFTER_SECONDS})


class TrustedProxyMiddleware:
    """Believes X-Forwarded-* only when the connection comes from a configured proxy."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        client = net.client_ip(request)
        forwarded = request.headers.get("X-Forwarded-Proto")
        if forwarded == "https" and net.is_trusted_proxy(request):
            request.META["wsgi.url_scheme"] = "https"
        for name in ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO"):
            request.META.pop(name, None)
        request.META["REMOTE_ADDR"] = client
        structlog.contextvars.bind_contextvars(client_ip=client)
        return self.get_response(request)


class AdmissionMiddleware:
    """Refuses unknown host names, changes sent by the pages of others, and bodies that no page
    and no API call needs, unread.

    Without a declared size Django reads nothing, so that chunks get no further either.
    """

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost as error:
            return bad_request(request, error, template_name="400.html")
        declared = request.META.get("CONTENT_LENGTH") or ""
        if declared.isdigit() and int(declared) > PAGE_BODY_LIMIT:
            return errors.too_large(request)
        if request.method not in SAFE_METHODS and _is_from_another_site(request):
            return errors.csrf_failure(request)
        return self.get_response(request)


def _is_from_another_site(request: HttpRequest) -> bool:
    # What the browser itself says, beside the token of the form.
    return request.headers.get("Sec-Fetch-Site", "") == "cross-site"


class SecurityHeadersMiddleware:
    """Keeps pages out of shared caches and turns unexpected faults into a page with an id."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=()"
        )
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DomainError):
            return errors.error_page(
                request, exception.status, "400", message=exception.message, code=exception.code
            )
        return None
