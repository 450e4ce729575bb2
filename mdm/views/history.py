"""The change history: filtered, with before and after, and a link to each entry."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import requires
from core import ratelimit
from core.models import HistoryEntry
from core.services import chain
from core.views.lists import list_page
from mdm import history_export
from mdm.filters import PortalHistoryFilterSet
from mdm.tables import HistoryTable
from mdm.words import history as words

VERIFIED = 50_000


@requires("history.view")
@require_GET
def history_list(request: HttpRequest) -> HttpResponse:
    rows = HistoryEntry.objects.visible_to(request.user)
    filters = PortalHistoryFilterSet(request.GET, queryset=rows, request=request)
    if request.GET.get("export") == "json":
        return history_export.as_json(request, filters.qs)
    months = request.user.tenant.history_months
    kept = _("Who did what, and when. Nothing here can be changed or deleted.")
    limited = _("Who did what, and when. Nothing here can be changed; it is kept for a time.")
    return list_page(
        request,
        template="history/history_list.html",
        filters=filters,
        table_class=HistoryTable,
        title=_("History"),
        lead=limited if months else kept,
        json_url=f"?{request.GET.urlencode()}&export=json",
    )


@requires("history.view")
@require_http_methods(["GET", "POST"])
def history_verify(request: HttpRequest) -> HttpResponse:
    """Recompute the newest part of the chain, when asked to."""
    context = {
        "title": _("Verify the history"),
        "crumbs": [(reverse("history-list"), _("History"))],
        "newest": VERIFIED,
    }
    if request.method == "POST":
        if ratelimit.allow("verify", str(request.user.pk), capacity=5, refill_seconds=300):
            context["report"] = chain.verify(request.user.tenant_id, newest=VERIFIED)
        else:
            messages.error(request, _("Wait a minute before you verify again."))
    return render(request, "history/history_verify.html", context)


@requires("history.view")
@require_GET
def history_detail(request: HttpRequest, pk: int) -> HttpResponse:
    entry = get_object_or_404(HistoryEntry.objects.visible_to(request.user), pk=pk)
    context = {
        "entry": entry,
        "words": words.words(entry.action),
        "changes": words.changes(entry),
        "title": words.words(entry.action).text,
        "crumbs": [(reverse("history-list"), _("History"))],
    }
    return render(request, "history/history_detail.html", context)
