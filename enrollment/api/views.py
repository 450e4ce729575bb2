"""API: invitations with their funnel, and the enrollments that came of them."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import PARAMETER, idempotent
from core.api.views import ReadOnlyApiViewSet
from core.models import Tenant
from enrollment import funnel
from enrollment.api import serializers
from enrollment.filters import InvitationFilterSet, SessionFilterSet
from enrollment.models import EnrollmentSession, Invitation
from enrollment.services import invitations, links


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
        "end_links": "settings.manage",
        "resend_outdated": "invitations.send",
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

    @extend_schema(
        request=serializers.RevokeSerializer,
        responses={200: serializers.EndedLinksSerializer},
        parameters=[PARAMETER],
    )
    @action(detail=False, methods=["post"], url_path="end-links", pagination_class=None)
    @idempotent
    def end_links(self, request: Request) -> Response:
        """End every registration link, code and unused profile that exists now."""
        body = self._body(request, serializers.RevokeSerializer)
        tenant = links.void_all(tenant=request.user.tenant, actor=request.user.actor, **body)
        return self._outdated(tenant)

    @extend_schema(
        request=None,
        responses={200: serializers.EndedLinksSerializer},
        parameters=[PARAMETER],
    )
    @action(detail=False, methods=["post"], url_path="resend-outdated", pagination_class=None)
    @idempotent
    def resend_outdated(self, request: Request) -> Response:
        """Send up to 200 open invitations again whose links were ended."""
        user = request.user
        invitations.resend_outdated(tenant=user.tenant, actor=user.actor, sender=user.owner)
        return self._outdated(user.tenant)

    @extend_schema(responses={200: serializers.FunnelSerializer}, filters=True)
    @action(detail=False, pagination_class=None)
    def funnel(self, request: Request) -> Response:
        """How many of the invitations that the filters leave came how far."""
        return Response(funnel.totals(self.filter_queryset(self.get_queryset())))

    def _outdated(self, tenant: Tenant) -> Response:
        tenant = Tenant.objects.get(pk=tenant.pk)
        left = invitations.outdated(tenant).count()
        return Response({"links_ended_at": tenant.links_voided_at, "to_resend": left})

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
