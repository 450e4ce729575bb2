"""Views of a list that somebody saved: its filters, sorting and columns, under a name."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.base import TenantModel

MAX_QUERY = 2000


class SavedViewQuerySet(models.QuerySet):
    def visible_to(self, principal) -> SavedViewQuerySet:
        """Return a person's own views and those that colleagues share."""
        owner = getattr(principal, "owner_id", None) or principal.pk
        return self.filter(tenant_id=principal.tenant_id).filter(
            models.Q(owner_id=owner) | models.Q(is_shared=True)
        )


class SavedView(TenantModel):
    """`query` is the query string of the list; `list_name` the name of its URL."""

    owner = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    list_name = models.CharField(max_length=80)
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=MAX_QUERY, blank=True)
    is_shared = models.BooleanField(
        _("colleagues see it too"),
        default=False,
        help_text=_("They see the rows that their own role lets them see."),
    )
    is_default = models.BooleanField(
        _("begin with it"),
        default=False,
        help_text=_("The list opens with this view, for you only."),
    )

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "list_name", "name"), name="view_name_once_per_list"
            ),
            models.UniqueConstraint(
                fields=("owner", "list_name"),
                name="view_one_default",
                condition=models.Q(is_default=True),
            ),
        )

    def __str__(self) -> str:
        return self.name
