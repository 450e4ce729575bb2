"""What operators and monitors ask: is the process alive, can it serve, how is it doing."""

from __future__ import annotations

import hmac
import os
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from mdm import metrics
from mdm.checks import is_loopback
from mdm.diagnosis import readiness
from mdm.diagnosis.findings import Level, worst

STATUS = {Level.OK: "ready", Level.WARNING: "degraded", Level.ERROR: "unready"}


@login_not_required
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Name each check and its level; anybody may ask, so the details stay with `doctor`."""
    findings = readiness.look()
    level = worst(findings)
    answer = {
        "status": STATUS[level],
        "checks": {finding.key: finding.level_name for finding in findings},
    }
    response = JsonResponse(answer, status=503 if level == Level.ERROR else 200)
    if level == Level.ERROR:
        response.headers["Retry-After"] = "10"
    return response


@login_not_required
@require_safe
def measured(request: HttpRequest) -> HttpResponse:
    if not _may_read_metrics(request):
        raise Http404
    is_multiprocess = bool(os.environ.get("PROMETHEUS_MULTIPROC_DIR"))
    return HttpResponse(
        metrics.render(is_multiprocess=is_multiprocess), content_type=CONTENT_TYPE_LATEST
    )


def _may_read_metrics(request: HttpRequest) -> bool:
    """With a token by token only; without one, from this machine while nobody else is served.

    On a public server a loopback address may be a proxy that forwards the whole world.
    """
    token = settings.MUSTER_METRICS_TOKEN
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    public_host = urlsplit(settings.MUSTER_PUBLIC_URL).hostname or ""
    return is_loopback(request.META.get("REMOTE_ADDR", "")) and is_loopback(public_host)
