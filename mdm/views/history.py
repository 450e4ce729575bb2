"""The change history: filtered, with before and after, and a link to each entry."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access import requires
from core.history_filters import HistoryFilterSet
from core.models import HistoryEntry
from core.views.lists import list_page
from mdm.tables import HistoryTable
from mdm.words import history as words


@requires("history.view")
@require_GET
def history_list(request: HttpRequest) -> HttpResponse:
    rows = HistoryEntry.objects.visible_to(request.user)
    return list_page(
        request,
        template="history/history_list.html",
        filters=HistoryFilterSet(request.GET, queryset=rows, request=request),
        table_class=HistoryTable,
        title=_("History"),
        lead=_("Who did what, and when. Nothing here can be changed or deleted."),
    )


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
