"""The shapes of the client API."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.serializers import StrictSerializer
from enrollment import detection
from enrollment.models import AppPush
from enrollment.page_forms import MAX_SECRET

PLATFORMS = (detection.IPHONE, detection.IPAD, detection.ANDROID)
VERSION = r"^\d{1,3}(\.\d{1,4}){0,3}\Z"


class FactsSerializer(StrictSerializer):
    """What the app says about its phone: claims, shown as such and never believed."""

    platform = serializers.ChoiceField(choices=PLATFORMS)
    model = serializers.CharField(max_length=80, required=False, allow_blank=True)
    os_version = serializers.RegexField(
        VERSION,
        required=False,
        allow_blank=True,
        max_length=20,
        error_messages={"invalid": _("Write the version as numbers and dots, such as 18.6.1.")},
    )
    app_version = serializers.CharField(max_length=32, required=False, allow_blank=True)


class ChangedFactsSerializer(FactsSerializer):
    platform = serializers.ChoiceField(choices=PLATFORMS, required=False)


class PushSerializer(StrictSerializer):
    kind = serializers.ChoiceField(choices=[AppPush.APNS.value, AppPush.FCM.value])
    token = serializers.CharField(max_length=1024)


class SignInSerializer(StrictSerializer):
    email = serializers.CharField(max_length=254)
    secret = serializers.CharField(
        max_length=MAX_SECRET,
        trim_whitespace=False,
        help_text="The password, or the PIN from the mail.",
    )
    device = FactsSerializer()


class RedeemSerializer(StrictSerializer):
    code = serializers.CharField(
        max_length=300, help_text="What the camera read: the whole address, or its token."
    )
    device = FactsSerializer()


class TellSerializer(StrictSerializer):
    """Unnamed parts stay; `push: null` forgets the push token."""

    device = ChangedFactsSerializer(required=False)
    push = PushSerializer(required=False, allow_null=True)


class ProofSerializer(StrictSerializer):
    kind = serializers.ChoiceField(choices=["pin", "password"])
    secret = serializers.CharField(max_length=MAX_SECRET, trim_whitespace=False)


class NewPasswordSerializer(StrictSerializer):
    password = serializers.CharField(max_length=MAX_SECRET, trim_whitespace=False)


class AcceptTermsSerializer(StrictSerializer):
    terms = serializers.UUIDField(help_text="The `id` of the version that the person read.")


class ReEnrollSerializer(StrictSerializer):
    confirmed = serializers.BooleanField(
        default=False, help_text="True once the person has answered the question with yes."
    )


class InstallationSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    person = serializers.CharField(source="user.name")
    organisation = serializers.CharField(source="tenant.name")
    device = serializers.SerializerMethodField()
    push_kind = serializers.CharField()
    push_broken_reason = serializers.CharField()
    enrollment = serializers.UUIDField(source="session_id", allow_null=True)

    def get_device(self, row) -> FactsSerializer:
        return {"platform": row.platform, **row.facts}


class SignedInSerializer(serializers.Serializer):
    token = serializers.CharField(help_text="Shown this once. Keep it in the phone's key store.")
    installation = InstallationSerializer()


class InstructionSerializer(serializers.Serializer):
    title = serializers.CharField()
    text = serializers.CharField()
    url = serializers.CharField()


class ProfileSerializer(serializers.Serializer):
    url = serializers.URLField()
    expires_at = serializers.DateTimeField()
    sha256 = serializers.CharField()


class RegisteredDeviceSerializer(serializers.Serializer):
    name = serializers.CharField(source="label")
    platform = serializers.CharField()
    model = serializers.CharField(source="model_name")
    os_version = serializers.CharField()


STATES = (
    "not_confirmed",
    "not_ready",
    "waiting",
    "downloaded",
    "identity_issued",
    "checked_in",
    "active",
    "refused",
    "expired",
    "cancelled",
    "ended",
)


class TermsToAcceptSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    text = serializers.CharField()


class ClientEnrollmentSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=STATES)
    message = serializers.CharField(help_text="For the person, in their language.")
    needs = serializers.ChoiceField(choices=["", "pin", "password", "new_password", "terms"])
    terms = TermsToAcceptSerializer(allow_null=True, help_text="Where `needs` is `terms`.")
    until = serializers.DateTimeField(allow_null=True)
    seconds = serializers.IntegerField(help_text="The whole time that ends at `until`.")
    device = RegisteredDeviceSerializer(allow_null=True)
    note = serializers.CharField(help_text="Set when the device tells otherwise than the app did.")
    can_resume = serializers.BooleanField()
    can_cancel = serializers.BooleanField()
    profile = ProfileSerializer(allow_null=True)
    instructions = InstructionSerializer(many=True)
