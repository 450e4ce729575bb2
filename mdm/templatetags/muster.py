"""Template tags of the portal and of the registration pages: icons, badges, times, bars, QR."""

from __future__ import annotations

from datetime import datetime, timedelta

import qrcode
from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from devices import actions
from devices.progress import Progress
from devices.states import PENDING_ORDER, DeviceState
from enrollment.states import StoppedReason
from mdm.words import commands as command_words
from mdm.words import glossary, history, values

register = template.Library()

QUIET_ZONE = 4


@register.simple_tag
def icon(name: str, label: str = "", css: str = ""):
    """Draw an icon of the sprite; without a label it is hidden from assistive technology."""
    url = static("vendor/tabler/icons.svg")
    if label:
        return format_html(
            '<svg class="icon {}" role="img" aria-label="{}"><use href="{}#{}"></use></svg>',
            css,
            label,
            url,
            name,
        )
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>', css, url, name
    )


@register.inclusion_tag("components/status_badge.html")
def badge(vocabulary: str, value: str, label: str = "", is_pending: bool = False):
    """Show a stored choice (a state, a status) as an icon and a word of the glossary."""
    term = glossary.term(vocabulary, value)
    return {
        "label": label or term.label,
        "tone": term.tone,
        "icon_name": term.icon,
        "is_pending": is_pending,
    }


@register.inclusion_tag("components/device_state.html")
def device_state(device):
    """Show the state of a device and, beside it, an order that it has not carried out yet."""
    pending = device.state in PENDING_ORDER
    return {
        "state": DeviceState.ACTIVE if pending else device.state,
        "pending": device.state if pending else "",
        "is_archived": device.archived_at is not None,
    }


def in_words(moment: datetime, now: datetime) -> str:
    """Return how far a moment lies from now, in one unit: ``3 h ago``, ``in 2 days``."""
    seconds = round((now - moment).total_seconds())
    if abs(seconds) < 60:
        return _("just now") if seconds >= 0 else _("in less than a minute")
    amount = _amount(abs(seconds))
    return (_("%(time)s ago") if seconds > 0 else _("in %(time)s")) % {"time": amount}


def _amount(seconds: int) -> str:
    if seconds < 3600:
        return _("%(count)d min") % {"count": seconds // 60}
    if seconds < 86_400:
        return _("%(count)d h") % {"count": seconds // 3600}
    days = timedelta(seconds=seconds).days
    if days < 60:
        return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
    months = days // 30
    return ngettext("%(count)d month", "%(count)d months", months) % {"count": months}


@register.simple_tag
def ago(moment: datetime | None, empty: str = "", is_focusable: bool = False):
    """Say when in words, with the exact local time on hover, and on focus where it matters."""
    if moment is None:
        return format_html('<span class="m-quiet">{}</span>', empty or _("never"))
    absolute = date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    words = in_words(moment, clock.now())
    if is_focusable:
        return format_html(
            '<time class="m-ago" datetime="{}" tabindex="0" data-absolute="{}" '
            'aria-label="{} ({})">{}</time>',
            moment.isoformat(),
            absolute,
            words,
            absolute,
            words,
        )
    return format_html(
        '<time class="m-ago" datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        absolute,
        words,
    )


@register.inclusion_tag("components/bar.html")
def bar(segments, total: int, label: str = ""):
    """Draw amounts as one stacked bar; `segments` are (value, tone) pairs of `total`."""
    drawn, x = [], 0.0
    for value, tone in segments:
        width = 100 * value / total if total else 0
        drawn.append({"x": f"{x:.2f}%", "width": f"{width:.2f}%", "tone": tone})
        x += width
    return {"segments": drawn, "label": label}


@register.inclusion_tag("components/qr_tile.html")
def qr_tile(text: str, label: str):
    """Draw a QR code as one SVG path on a white tile with its quiet zone."""
    code = qrcode.QRCode(border=QUIET_ZONE, error_correction=qrcode.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    path = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark
    )
    return {"size": len(matrix), "path": path, "label": label}


@register.simple_tag
def platform_icon(platform: str):
    """Draw the kind of a device; the word stands beside it or is given to assistive technology."""
    term = glossary.term("platform", platform)
    return icon(term.icon, label=str(term.label))


@register.simple_tag
def history_words(entry):
    """Return text, tone and icon of a change."""
    return history.words(entry.action)


@register.filter
def actor_words(entry) -> str:
    """Return who made a change, as people would say it."""
    return values.actor(entry)


# Which page shows an object that the history names.
PAGES = {
    "devices.device": "device-detail",
    "accounts.user": "user-detail",
    "enrollment.invitation": "invitations:invitation-detail",
    "devices.operation": "devices:operation-detail",
    "devices.devicegroup": "device-group-detail",
    "accounts.usergroup": "user-group-detail",
    "accounts.attributedefinition": "settings-attribute-edit",
}


@register.simple_tag
def object_url(entry) -> str:
    """Return the page of what a change was about, or nothing if it has none."""
    name = PAGES.get(entry.object_type)
    return reverse(name, args=[entry.object_id]) if name else ""


@register.filter
def platform_name(platform: str) -> str:
    """Return the word for a stored platform."""
    return str(glossary.term("platform", platform).label)


@register.filter
def stopped_words(reason: str) -> str:
    """Return why an enrollment stopped, in words; an unknown code is shown as it is."""
    return str(dict(StoppedReason.choices).get(reason, reason))


@register.filter
def action_label(key: str) -> str:
    """Return what an action of the registry is called; one that is gone keeps its key."""
    return str(actions.label_of(key))


@register.filter
def target_words(target) -> str:
    """Return where an order is for one of its devices, and why."""
    told = Progress.explain(target)
    if told or target.state != "done" or target.command is None:
        return told
    return command_words.explanation(target.command)


@register.filter
def initials(name: str) -> str:
    """Return one or two capitals that stand for a person."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word]
    return "".join(word[0] for word in words[:2]).upper()


@register.filter
def get(mapping, key):
    """Look a key up, which templates cannot do with a variable."""
    return mapping.get(key, "")
