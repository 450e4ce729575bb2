"""What every view of the API builds on."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import exceptions, mixins, viewsets
from rest_framework.request import Request

from core import ratelimit
from core.api.pagination import PARAMETERS
from core.errors import DomainError

WRITES_PER_MINUTE = 600


class TooManyCalls(DomainError):
    code = "too_many_requests"
    status = 429
    message = "Too many changes in a minute. Wait a little."


class ListFilterBackend(DjangoFilterBackend):
    """Filters lists only: a single row is found by its key, whatever the list would leave out."""

    def filter_queryset(self, request, queryset, view):
        if view.action not in view.filtered_actions:
            return queryset
        return super().filter_queryset(request, queryset, view)


class ApiViewSet(viewsets.GenericViewSet):
    """Rows are those that the principal may see, and another tenant's do not exist.

    `permissions` names the permission of each action. `sorts` are the fields that the list may be
    sorted by. A query parameter that a list does not know is refused: a misspelt filter would
    otherwise return everything.
    """

    lookup_value_converter = "uuid"
    filter_backends: ClassVar = [ListFilterBackend]
    permissions: ClassVar[dict[str, str]] = {}
    filtered_actions: ClassVar[frozenset[str]] = frozenset({"list"})
    sorts: ClassVar[tuple[str, ...]] = ("created_at",)
    default_sort = "-created_at"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        known = self._known_parameters()
        unknown = {
            name[:80]: [_("This parameter is not known here.")]
            for name in list(request.query_params)[:20]
            if name not in known
        }
        if unknown:
            raise exceptions.ValidationError(unknown)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            actor = request.user.actor
            if not ratelimit.allow("api", actor.id, capacity=WRITES_PER_MINUTE, refill_seconds=60):
                raise TooManyCalls

    def get_queryset(self):
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return rows.visible_to(self.request.user)

    def _known_parameters(self) -> set[str]:
        filters = getattr(self, "filterset_class", None)
        known = set(filters.base_filters) if filters and self._is_filtered() else set()
        return known | set(PARAMETERS) if self.action == "list" else known

    def _is_filtered(self) -> bool:
        return self.action in self.filtered_actions


class ReadOnlyApiViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet): ...
