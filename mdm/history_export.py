"""The change history as JSON lines, complete enough to recompute the chain elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from core import clock, history, ratelimit
from core.models import HistoryEntry
from core.views.exports import CHUNK

FIELDS = (
    "id",
    "at",
    "action",
    "actor_kind",
    "actor_id",
    "actor_label",
    "ip",
    "request_id",
    "object_type",
    "object_id",
    "object_label",
    "data",
    "chain_index",
    "chain_hash",
)


def as_json(request: HttpRequest, rows: QuerySet[HistoryEntry]) -> HttpResponse:
    """Send the entries oldest first, one JSON object on each line."""
    user = request.user
    if not ratelimit.allow("export", str(user.pk), capacity=10, refill_seconds=600):
        messages.error(request, _("Ten lists in ten minutes are enough. Wait a little."))
        return redirect("history-list")
    query = request.GET.urlencode()[:500]
    data = {"list": "history-list", "filter": query}
    history.record(user.tenant, "core.list.exported", actor=user.actor, data=data)
    stamp = timezone.localtime(clock.now()).strftime("%Y-%m-%d-%H%M")
    response = StreamingHttpResponse(_lines(rows), content_type="application/x-ndjson")
    response.headers["Content-Disposition"] = f'attachment; filename="history-{stamp}.jsonl"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _lines(rows: QuerySet[HistoryEntry]) -> Iterator[str]:
    for row in rows.order_by("id").values(*FIELDS).iterator(chunk_size=CHUNK):
        yield json.dumps(row, default=_plain, ensure_ascii=False) + "\n"


def _plain(value: Any) -> str:
    return str(value.isoformat())
