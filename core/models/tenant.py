"""The organisation that everything hangs on."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import UUIDModel
from core.validators import validate_time_zone


class Tenant(UUIDModel):
    """An organisation. On anonymous pages it is found by the configured host name."""

    slug = models.SlugField(_("short name"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    language = models.CharField(
        _("language"), max_length=8, default="en", choices=settings.LANGUAGES
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[validate_time_zone]
    )
    hosts = models.JSONField(default=list, blank=True)
    help_contact = models.CharField(_("help contact"), max_length=200, blank=True)
    # Links and QR codes made before this moment are dead: an administrator or an upgrade said so.
    links_voided_at = models.DateTimeField(null=True, blank=True)
    # What became of the steps of the start-up wizard: {step: "done" or "skipped"}.
    setup_outcomes = models.JSONField(default=dict, blank=True)
    setup_finished_at = models.DateTimeField(null=True, blank=True)
    # How long the change history is kept; without a number for ever. What was deleted ends with
    # the anchor, from which the chain of the rest goes on.
    history_months = models.PositiveSmallIntegerField(
        _("months that the change history is kept"),
        null=True,
        blank=True,
        validators=[MinValueValidator(6), MaxValueValidator(240)],
    )
    history_anchor_index = models.BigIntegerField(default=0, editable=False)
    history_anchor_hash = models.CharField(max_length=64, blank=True, editable=False)
    # Fixed when the first device enrolls: a device can never be told another address.
    enrolled_public_url = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self) -> str:
        return self.name
