"""Browser push on the registration pages: the worker that shows it, and the browsers that agree."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_GET, require_POST

from core import net, ratelimit
from core.actors import Actor
from core.errors import DomainError
from core.models import KeyPurpose
from enrollment import detection
from enrollment.services import push_addresses, push_keys
from enrollment.views.visit import Visit, choose_language, open_visit

MAX_BODY = 4096
TRIES, TRIES_SECONDS = 20, 3600
# Web pages of iPhones and iPads may not push unless they are kept on the home screen.
WITHOUT_PUSH = (detection.IPHONE, detection.IPAD)


@login_not_required
@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """Serve the service worker from where its scope may be the registration pages."""
    response = HttpResponse(_script(), content_type="text/javascript; charset=utf-8")
    response["Service-Worker-Allowed"] = "/go"
    response["Cache-Control"] = "no-cache"
    return response


@login_not_required
@csrf_protect
@require_POST
def subscribe(request: HttpRequest) -> HttpResponse:
    """Note or forget the browser that began an attempt; its cookie says whose it is."""
    visit = open_visit(request, "")
    session = visit.session if visit else None
    if visit is None or session is None or session.user is None or not session.is_open:
        return _refused(_("This registration has ended. Open the page again."), 404)
    key = str(session.pk)
    if not ratelimit.allow("browser-push", key, capacity=TRIES, refill_seconds=TRIES_SECONDS):
        return _refused(_("Too many tries. Wait a little."), 429)
    user = session.user
    actor = Actor("person", str(user.pk), user.email, net.client_ip(request))
    try:
        document = json.loads(net.read_body(request, MAX_BODY))
        if isinstance(document, dict) and document.get("stop"):
            endpoint = str(document.get("endpoint", ""))
            push_addresses.unsubscribe(user=user, endpoint=endpoint, actor=actor)
            return JsonResponse({"message": _("This browser will not remind you.")})
        push_addresses.subscribe(
            session=session,
            user=user,
            document=document,
            language=choose_language(visit, request),
            actor=actor,
            label=detection.browser_words(request.headers.get("User-Agent", "")),
        )
    except (ValueError, RecursionError):
        return _refused(_("This browser or app could not be noted for reminders."), 400)
    except DomainError as error:
        return _refused(str(error.message), error.status)
    return JsonResponse({"message": _("This browser will remind you if you do not finish.")})


def offer(visit: Visit) -> str:
    """Return the key with which this browser can agree to pushes, or "" where none is offered."""
    session = visit.session
    if session is None or session.user is None or not session.is_open:
        return ""
    if session.reminders_stopped_at is not None:
        return ""
    asking = detection.detect(visit.request.headers)
    row = push_keys.find(visit.tenant.pk, KeyPurpose.WEB_PUSH)
    if row is None or asking.platform in WITHOUT_PUSH:
        return ""
    return push_keys.signer_of(row).public


def _refused(message: str, status: int) -> HttpResponse:
    return JsonResponse({"message": message}, status=status)


@cache
def _script() -> bytes:
    found = finders.find("js/push-worker.js")
    if not found:
        raise Http404
    return Path(str(found)).read_bytes()
