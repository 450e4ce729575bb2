"""API: the PIN of a person, as far as it may be known, and a new one for one look."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.api.views import ApiViewSet
from enrollment.services import pin_handover, pins


class PinInfoSerializer(serializers.Serializer):
    state = serializers.ChoiceField(
        choices=["none", "valid", "used", "expired", "void", "tries"],
        help_text="`tries` is void after wrong tries, `void` replaced or outdated.",
    )
    issued_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    tries_left = serializers.IntegerField()


class IssuedPinSerializer(serializers.Serializer):
    pin = serializers.CharField(source="digits", help_text="Shown this once and never again.")
    expires_at = serializers.DateTimeField()


class UserPinView(ApiViewSet):
    """The registration PIN of a person."""

    queryset = User.objects.select_related("tenant")
    pagination_class = None
    serializer_class = PinInfoSerializer
    permissions: ClassVar = {"retrieve": "users.view", "create": "users.reveal_pin"}

    def retrieve(self, request: Request, pk: str) -> Response:
        """What is known of the newest PIN; never its digits."""
        info = pins.info(self.get_object())
        none = {"state": "none", "issued_at": None, "expires_at": None, "tries_left": 0}
        return Response(PinInfoSerializer(info or none).data)

    @extend_schema(request=None, responses={201: IssuedPinSerializer})
    def create(self, request: Request, pk: str) -> Response:
        """Make a PIN without a mail. It is written in the history.

        Nobody makes one for somebody who may do what they may not.
        """
        issued = pin_handover.make(user=self.get_object(), principal=request.user)
        return Response(IssuedPinSerializer(issued).data, status=201)
