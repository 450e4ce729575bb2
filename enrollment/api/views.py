"""API: invitations with their funnel, and the enrollments that came of them."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import PARAMETER, idempotent
from core.api.views import ReadOnlyApiViewSet
from enrollment import funnel
from enrollment.api import serializers
from enrollment.filters import InvitationFilterSet, SessionFilterSet
from enrollment.models import EnrollmentSession, Invitation
from enrollment.services import invitations


class InvitationViewSet(ReadOnlyApiViewSet):
    """Invitations of people to enroll their devices."""

    queryset = Invitation.objects.select_related("user", "tenant")
    serializer_class = serializers.InvitationSerializer
    filterset_class = InvitationFilterSet
    sorts: ClassVar = ("created_at", "expires_at")
    permissions: ClassVar = {
        "list": "invitations.view",
        "retrieve": "invitations.view",
        "funnel": "invitations.view",
        "create": "invitations.send",
        "resend": "invitations.send",
        "link": "invitations.send",
        "revoke": "invitations.revoke",
    }
    filtered_actions: ClassVar = frozenset({"list", "funnel"})

    @extend_schema(
        request=serializers.InviteSerializer,
        responses={201: serializers.InvitationSerializer(many=True)},
        parameters=[PARAMETER],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Invite one or several people by address: all of them, or nobody.

        Adds those who are not there yet; somebody whose invitation is open gets a new mail.
        """
        body = self._body(request, serializers.InviteSerializer)
        sent = invitations.invite(
            tenant=request.user.tenant,
            actor=request.user.actor,
            sender=request.user.owner,
            **body,
        )
        rows = self.get_queryset().filter(pk__in=[one.pk for one in sent]).order_by("created_at")
        return Response(self.get_serializer(rows, many=True).data, status=201)

    @extend_schema(request=None, parameters=[PARAMETER])
    @action(detail=True, methods=["post"])
    @idempotent
    def resend(self, request: Request, pk: str) -> Response:
        """Send an open invitation again, or a new one if it has ended."""
        sent = invitations.resend(
            invitation=self.get_object(), actor=request.user.actor, sender=request.user.owner
        )
        return self._shown(sent)

    @extend_schema(request=serializers.RevokeSerializer, parameters=[PARAMETER])
    @action(detail=True, methods=["post"])
    @idempotent
    def revoke(self, request: Request, pk: str) -> Response:
        """End an invitation: its links, the person's PINs, attempts under way."""
        invitation = self.get_object()
        body = self._body(request, serializers.RevokeSerializer)
        revoked = invitations.revoke(invitation=invitation, actor=request.user.actor, **body)
        return self._shown(revoked)

    @extend_schema(request=None, responses={200: serializers.LinkSerializer})
    @action(detail=True, methods=["post"])
    def link(self, request: Request, pk: str) -> Response:
        """Make a link to hand over by other means."""
        link = invitations.share_link(invitation=self.get_object(), actor=request.user.actor)
        return Response({"link": link})

    @extend_schema(responses={200: serializers.FunnelSerializer}, filters=True)
    @action(detail=False, pagination_class=None)
    def funnel(self, request: Request) -> Response:
        """How many of the invitations that the filters leave came how far."""
        return Response(funnel.totals(self.filter_queryset(self.get_queryset())))

    def _body(self, request: Request, kind: type) -> dict[str, Any]:
        body = kind(data=request.data)
        body.is_valid(raise_exception=True)
        return body.validated_data

    def _shown(self, invitation: Invitation) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=invitation.pk)).data)


class EnrollmentViewSet(ReadOnlyApiViewSet):
    """Attempts to enroll a device: how far each came, and why it stopped."""

    queryset = EnrollmentSession.objects.filter(user__isnull=False).select_related("user")
    serializer_class = serializers.EnrollmentSerializer
    filterset_class = SessionFilterSet
    permissions: ClassVar = {"list": "invitations.view", "retrieve": "invitations.view"}
