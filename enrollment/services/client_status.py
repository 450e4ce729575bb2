"""What a client app shows of an attempt: state, words, deadline, profile, what to do now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import TermsOfService
from accounts.services import terms
from devices.models import Device
from devices.states import MANAGED
from enrollment import detection, instructions
from enrollment.models import (
    ClientInstallation,
    EnrollmentSession,
    IssuedProfile,
    SessionOutcome,
    StoppedReason,
)
from enrollment.services import journey, profiles, stopping
from enrollment.services.journey import Step

# What has to be sent before anything else, by the step that asks for it.
NEEDS = {
    Step.PIN: "pin",
    Step.SIGN_IN: "password",
    Step.PASSWORD: "new_password",
    Step.TERMS: "terms",
}


@dataclass(frozen=True, slots=True)
class ClientStatus:
    """`needs` is empty or what the person has to show first. `note` corrects what the app said
    of its phone when the device itself tells otherwise."""

    id: Any
    state: str
    message: str
    needs: str = ""
    until: dt.datetime | None = None
    seconds: int = 0
    device: Device | None = None
    note: str = ""
    can_resume: bool = False
    can_cancel: bool = False
    profile: dict[str, Any] | None = None
    instructions: tuple[instructions.Instruction, ...] = ()
    terms: TermsOfService | None = None


def of(session: EnrollmentSession, installation: ClientInstallation) -> ClientStatus:
    """Describe an attempt in the active language. Up to six queries."""
    if session.outcome == SessionOutcome.CANCELLED:
        return _cancelled(session)
    profile = profiles.current(session)
    step = journey.step_of(session, profile)
    if session.is_open and step in NEEDS:
        return _needy(session, NEEDS[step])
    status = journey.status_of(session, profile)
    device = session.device
    if status.state == "active" and device is not None and not _is_managed(device):
        return ClientStatus(session.pk, "ended", _("This device is not managed any more."))
    reason = profiles.not_ready_reason(session) if session.is_open and profile is None else None
    return ClientStatus(
        id=session.pk,
        state="not_ready" if reason else status.state,
        message=reason or _ready(session, profile) or status.message,
        until=status.until,
        seconds=status.seconds,
        device=device,
        note=_note(session, installation),
        can_cancel=session.is_open,
        profile=_profile(profile) if session.is_open else None,
        instructions=_steps(session, installation) if session.is_open else (),
    )


def _needy(session: EnrollmentSession, needs: str) -> ClientStatus:
    asked = terms.due(session.user) if needs == "terms" and session.user else None
    return ClientStatus(
        session.pk, "not_confirmed", _words(needs), needs, can_cancel=True, terms=asked
    )


def _cancelled(session: EnrollmentSession) -> ClientStatus:
    message = journey.why_stopped(session)
    can_resume = stopping.can_resume(session)
    profile = stopping.unused_profile(session) if can_resume else None
    until = journey.deadline(profile) if profile else (None, 0)
    if profile is not None:
        message += " " + _("You can go on with the profile that you downloaded, while it is valid.")
    elif session.stopped_reason == StoppedReason.CANCELLED:
        message += " " + _("Start again to register this device.")
    return ClientStatus(
        session.pk, "cancelled", message, until=until[0], seconds=until[1], can_resume=can_resume
    )


def _words(needs: str) -> str:
    return {
        "pin": _("Enter the PIN from our mail."),
        "password": _("Enter your password."),
        "new_password": _("Choose a password for your account."),
        "terms": _("Read and accept the terms of your organisation."),
    }[needs]


def _ready(session: EnrollmentSession, profile: IssuedProfile | None) -> str:
    if session.is_open and profile is None:
        return _("Everything is ready: get the profile and install it.")
    return ""


def _is_managed(device: Device) -> bool:
    return device.archived_at is None and device.state in MANAGED


def _profile(profile: IssuedProfile | None) -> dict[str, Any] | None:
    """The address of the download; a phone opens it in its browser, which hands it on."""
    if profile is None or not profiles.is_downloadable(profile) or not profile.sealed_link:
        return None
    path = reverse("enrollment:profile", args=[profiles.link_token(profile)])
    return {
        "url": f"{settings.MUSTER_PUBLIC_URL}{path}",
        "expires_at": profile.link.expires_at,
        "sha256": profile.sha256,
    }


def _steps(
    session: EnrollmentSession, installation: ClientInstallation
) -> tuple[instructions.Instruction, ...]:
    if session.platform not in detection.CHOICES:
        return ()
    version = str(installation.facts.get("os_version", "")).partition(".")[0]
    guide, _others = instructions.guides(
        session.platform, int(version) if version.isascii() and version.isdigit() else 0
    )
    return guide.steps


def _note(session: EnrollmentSession, installation: ClientInstallation) -> str:
    """Say what the device tells otherwise than the app did."""
    device = session.device
    if device is None:
        return ""
    if device.platform != session.platform:
        return _(
            "This app said that it runs on another kind of device. What the device itself says "
            "counts: %(device)s."
        ) % {"device": device.model_name or device.label}
    told, real = str(installation.facts.get("os_version", "")), device.os_version
    if told and real and told != real:
        return _(
            "This app said that the system is version %(told)s. What the device itself says "
            "counts: %(real)s."
        ) % {"told": told, "real": real}
    if Device.objects.was_of_another(device):
        return _(
            "Until now this device was registered in the name of somebody else. That has ended; "
            "your organisation can see the change."
        )
    return ""
