"""API: orders to many devices, the wipe log, wipe limit and emergency freeze.

Approving and lifting a freeze take a person who has just signed in: they are pages, not calls.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import PARAMETER, idempotent
from core.api.views import ApiViewSet, ReadOnlyApiViewSet
from devices import actions, selections
from devices.api import operation_serializers as shapes
from devices.api.serializers import NothingSerializer, ReasonSerializer
from devices.bulk_filters import OperationFilterSet, TargetFilterSet, WipeFilterSet
from devices.bulk_forms import shown_of, values_of
from devices.errors import ActionNotAllowed
from devices.models import Device, Operation, OperationTarget, Safeguard, WipeOrder
from devices.selections import Selection
from devices.services import holds, operations, safeguards


class OperationViewSet(ReadOnlyApiViewSet):
    """Orders to many devices. Each also needs the right of its action."""

    queryset = Operation.objects.select_related("hold")
    serializer_class = shapes.OperationSerializer
    filterset_class = OperationFilterSet
    permissions: ClassVar = {
        "list": "devices.view",
        "retrieve": "devices.view",
        "create": "devices.view",
        "preview": "devices.view",
        "cancel": "devices.view",
        "retry": "devices.view",
    }

    @extend_schema(
        request=shapes.OrderSerializer,
        responses={202: shapes.OperationSerializer},
        parameters=[PARAMETER],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Order something of many devices: accepted, carried out in the background, or held."""
        body = _valid(shapes.OrderSerializer, request)
        selection = self._selected(request, body)
        form = self._form(request, body)
        operation = operations.create(
            principal=request.user,
            action_key=body["action"],
            devices=selection.devices,
            query=selection.query,
            form=values_of(form),
            shown=shown_of(form),
            reason=form.cleaned_data.get("reason", ""),
            expected=body.get("expected"),
            confirmation=body["confirmation"],
        )
        return self._shown(operation)

    @extend_schema(request=shapes.SelectionSerializer, responses={200: shapes.SurveySerializer})
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Say whom an order would reach, and who would be left out and why; orders nothing."""
        body = _valid(shapes.SelectionSerializer, request)
        selection = self._selected(request, body)
        found = operations.survey(actions.find(body["action"]), selection.devices)
        return Response(shapes.SurveySerializer(found).data)

    @extend_schema(
        request=ReasonSerializer,
        responses={202: shapes.OperationSerializer},
        parameters=[PARAMETER],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop what has not left for its device. Stops an order that waits for approval, too."""
        operation = self.get_object()
        body = _valid(ReasonSerializer, request)
        return self._shown(operations.cancel(operation=operation, principal=request.user, **body))

    @extend_schema(
        request=NothingSerializer,
        responses={202: shapes.OperationSerializer},
        parameters=[PARAMETER],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def retry(self, request: Request, pk: str) -> Response:
        """Order the same of those that failed. Destructive orders are given anew instead."""
        operation = self.get_object()
        _valid(NothingSerializer, request)
        again = operations.retry(
            operation=operation,
            principal=request.user,
            devices=Device.objects.visible_to(request.user),
        )
        return self._shown(again)

    def _selected(self, request: Request, body: dict[str, Any]) -> Selection:
        if not request.user.has(actions.find(body["action"]).permission):
            raise ActionNotAllowed
        if "devices" in body:
            return selections.chosen(request.user, body["devices"])
        return selections.matching(request.user, body["filter"], is_strict=True)

    def _form(self, request: Request, body: dict[str, Any]) -> Any:
        data = MultiValueDict({name: _texts(value) for name, value in body["params"].items()})
        chosen = actions.find(body["action"])
        form = chosen.form_class(data, device=None, user=request.user)
        unknown = {name: ["This field cannot be set."] for name in data if name not in form.fields}
        if unknown or not form.is_valid():
            raise exceptions.ValidationError({"params": unknown or form.errors})
        return form

    def _shown(self, operation: Operation) -> Response:
        fresh = self.get_queryset().get(pk=operation.pk)
        return Response(self.get_serializer(fresh).data, status=202)


def _valid(kind: type, request: Request) -> dict[str, Any]:
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    data: dict[str, Any] = body.validated_data
    return data


def _texts(value: Any) -> list[str]:
    """Return a JSON value as a form would have sent it."""
    if value is None:
        return []
    if isinstance(value, list):
        return [text for item in value[:1000] for text in _texts(item)]
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, dict):
        raise exceptions.ValidationError({"params": ["Only texts, numbers and lists of them."]})
    return [str(value)]


class TargetViewSet(ApiViewSet, mixins.ListModelMixin):
    """The devices of an order, and what became of each."""

    queryset = OperationTarget.objects.select_related("command")
    serializer_class = shapes.TargetSerializer
    filterset_class = TargetFilterSet
    sorts: ClassVar = ("id", "label")
    default_sort = "id"
    permissions: ClassVar = {"list": "devices.view"}

    def get_queryset(self):
        rows = OperationTarget.objects.select_related("command")
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        orders = Operation.objects.visible_to(self.request.user)
        return rows.filter(operation=get_object_or_404(orders, pk=self.kwargs["pk"]))


class WipeOrderViewSet(ReadOnlyApiViewSet):
    """The wipe log: every wipe that was ordered, and what became of it."""

    queryset = WipeOrder.objects.all()
    serializer_class = shapes.WipeOrderSerializer
    filterset_class = WipeFilterSet
    sorts: ClassVar = ("ordered_at",)
    default_sort = "-ordered_at"
    permissions: ClassVar = {"list": "devices.view", "retrieve": "devices.view"}


class ProtectionView(ApiViewSet):
    """Wipe limit and emergency freeze of the organisation."""

    queryset = Safeguard.objects.all()
    permissions: ClassVar = {
        "retrieve": "settings.view",
        "partial_update": "settings.manage",
        "freeze": "devices.freeze",
    }

    @extend_schema(responses={200: shapes.ProtectionSerializer})
    def retrieve(self, request: Request) -> Response:
        return self._shown(request)

    @extend_schema(request=shapes.LimitSerializer, responses={200: shapes.ProtectionSerializer})
    def partial_update(self, request: Request) -> Response:
        """Change the wipe limit. A higher one waits for a second administrator and 24 hours."""
        body = _valid(shapes.LimitSerializer, request)
        holds.change_limit(
            tenant=request.user.tenant,
            limit=body["wipe_limit"],
            actor=request.user.actor,
            reason=body["reason"],
        )
        return self._shown(request)

    @extend_schema(
        request=shapes.NeededReasonSerializer, responses={200: shapes.ProtectionSerializer}
    )
    def freeze(self, request: Request) -> Response:
        """Stop wipe, retire and delete at once. Lifting it takes a person, in the portal."""
        body = _valid(shapes.NeededReasonSerializer, request)
        safeguards.freeze(tenant=request.user.tenant, actor=request.user.actor, **body)
        return self._shown(request)

    def _shown(self, request: Request) -> Response:
        tenant_id = request.user.tenant_id
        context = {"coming": holds.coming_limit(tenant_id)}
        row = safeguards.of(tenant_id)
        return Response(shapes.ProtectionSerializer(row, context=context).data)
