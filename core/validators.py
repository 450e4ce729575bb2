"""Validators that several apps share."""

from __future__ import annotations

import zoneinfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def validate_time_zone(name: str) -> None:
    """Accept names of the IANA database only."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("This time zone is not known."), code="time_zone")
