"""How the state of push is told to administrators: on its page, on the dashboard, by doctor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apple.services.push_certificate import PushState, PushStatus

GOOD, ATTENTION, DANGER, PROGRESS = "good", "attention", "danger", "progress"

TROUBLE: dict[str, Any] = {
    "timeout": gettext_lazy("Apple's push service did not answer in time."),
    "connection": gettext_lazy(
        "No connection to Apple's push service. A firewall may be in the way, or Apple hangs up"
        " because the certificate was revoked."
    ),
    "protocol": gettext_lazy("The connection to Apple's push service broke off."),
    "server_untrusted": gettext_lazy(
        "Whoever answered in place of Apple's push service could not prove to be it. Nothing was"
        " sent."
    ),
    "answer_too_large": gettext_lazy("Apple's push service gave an answer that makes no sense."),
    "not_tried": gettext_lazy("No connection to Apple's push service."),
}
REFUSALS: dict[str, Any] = {
    "certificate_unusable": gettext_lazy(
        "The certificate or its key cannot be used by this server. After a restore, put back the"
        " MUSTER_KEK that belongs to this database, or install a new certificate."
    ),
    "DeviceTokenNotForTopic": gettext_lazy(
        "Apple says that the devices listen on another topic than this certificate's."
    ),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """`needs_action` says whether somebody has to do something soon."""

    tone: str
    icon: str
    title: str
    text: str
    needs_action: bool


def notice(status: PushStatus) -> Notice:
    """Return the one thing to say about push now."""
    make = {
        PushState.NONE: _none,
        PushState.REQUESTED: _requested,
        PushState.PRACTICE: _practice,
        PushState.VALID: _valid,
        PushState.EXPIRING: _expiring,
        PushState.EXPIRED: _expired,
        PushState.PAUSED: _paused,
    }
    if status.trouble_reason and status.reaches_real_devices:
        return _trouble(status)
    return make[status.state](status)


def _none(status: PushStatus) -> Notice:
    text = _("Without one no iPhone, iPad or Mac can enroll. It is free and valid for a year.")
    return Notice(DANGER, "alert-triangle", _("There is no push certificate yet"), text, True)


def _requested(status: PushStatus) -> Notice:
    text = _("Take the signing request to Apple's portal, then upload the certificate here.")
    return Notice(PROGRESS, "hourglass", _("The signing request is out"), text, True)


def _practice(status: PushStatus) -> Notice:
    text = _(
        "It lets simulated devices enroll, and no real one. Nothing is ever sent to Apple with it."
    )
    return Notice(ATTENTION, "alert-triangle", _("A practice certificate is in place"), text, True)


def _valid(status: PushStatus) -> Notice:
    text = _("Valid until %(date)s. The administrators are told by mail in good time.")
    return Notice(GOOD, "circle-check", _("Push is ready"), text % _date(status), False)


def _expiring(status: PushStatus) -> Notice:
    days = status.days_left or 0
    title = ngettext(
        "The push certificate expires in %(days)d day",
        "The push certificate expires in %(days)d days",
        days,
    )
    text = _(
        "Renew it in Apple's portal before %(date)s, with the same Apple Account, for the entry"
        " with the same topic."
    )
    tone = DANGER if days <= 7 else ATTENTION
    return Notice(tone, "clock", title % {"days": days}, text % _date(status), True)


def _expired(status: PushStatus) -> Notice:
    text = _("It ended on %(date)s. Devices are not woken; orders wait until it is renewed.")
    title = _("The push certificate has expired")
    return Notice(DANGER, "alert-triangle", title, text % _date(status), True)


def _paused(status: PushStatus) -> Notice:
    reason = REFUSALS.get(status.paused_reason) or _("Apple refuses it: %(reason)s.") % {
        "reason": status.paused_reason
    }
    text = _("Orders wait and nothing is lost. The server tries again once an hour by itself.")
    title = _("Push is stopped: Apple refuses the certificate")
    return Notice(DANGER, "player-pause", title, f"{reason} {text}", True)


def _trouble(status: PushStatus) -> Notice:
    reason = TROUBLE.get(status.trouble_reason) or status.trouble_reason
    text = _("Pushes are tried again by themselves; devices that poll get their orders anyway.")
    title = _("The last pushes did not get through")
    return Notice(ATTENTION, "alert-triangle", title, f"{reason} {text}", False)


def _date(status: PushStatus) -> dict[str, str]:
    if status.not_after is None:
        return {"date": "–"}
    return {"date": date_format(localtime(status.not_after), "DATE_FORMAT")}
