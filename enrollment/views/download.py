"""Hands the signed profile to the browser of the enrolling device."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from enrollment.errors import ProfileUnavailable
from enrollment.services import profiles
from enrollment.views.visit import choose_language, open_visit


@login_not_required
@require_safe
def profile(request: HttpRequest, token: str) -> HttpResponse:
    """Give the profile behind a link, or a page that says what to do; never a broken file."""
    try:
        if request.method == "HEAD":
            found = profiles.peek(token)
            return _file(b"", found.content_type, found.filename)
        got = profiles.download(token=token)
    except ProfileUnavailable as error:
        return _too_old(request, error)
    return _file(got.content, got.content_type, got.filename)


def _too_old(request: HttpRequest, error: ProfileUnavailable) -> HttpResponse:
    visit = open_visit(request, "")
    context = {"tenant": visit.tenant if visit else None}
    with translation.override(choose_language(visit, request)):
        return render(request, "enrollment/too_old.html", context, status=error.status)


def _file(content: bytes, content_type: str, filename: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
