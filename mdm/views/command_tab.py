"""The Commands tab of a device: what waits, then what was, page by page."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest

from devices.models import Command, CommandRank, Device
from devices.states import OPEN_COMMANDS
from mdm.words import commands as words

SHOWN_UPCOMING = 50
PER_PAGE = 25


def gather(request: HttpRequest, device: Device) -> dict[str, Any]:
    """Return the upcoming commands in their order, and one page of the past; three queries.

    A page that does not exist falls back to the nearest.
    """
    rows = device.commands.defer("answer", "sealed_params")
    upcoming = rows.open().order_by("rank", "created_at", "id")[:SHOWN_UPCOMING]
    past = rows.exclude(status__in=OPEN_COMMANDS).order_by("-created_at", "-id")
    page = Paginator(past, PER_PAGE).get_page(request.GET.get("page"))
    return {
        "upcoming": [_row(command, device) for command in upcoming],
        "told": [_row(command, device) for command in page.object_list],
        "page": page,
    }


def _row(command: Command, device: Device) -> dict[str, Any]:
    command.device = device
    is_open = command.status in OPEN_COMMANDS
    return {
        "command": command,
        "name": words.name(command),
        "text": words.explanation(command),
        "at": words.moment(command),
        "by": command.requested_by.get("label", ""),
        "is_cancellable": is_open and command.rank != CommandRank.ORDER,
    }
