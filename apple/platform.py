"""How Apple devices are enrolled: the signed profile that a person installs."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apple import profile
from apple.errors import PushNotConfigured
from apple.services import push_certificate
from core import clock, ids
from core.models import KeyPurpose, Tenant
from core.pki import cms
from core.services import keys
from devices.models import Platform
from enrollment import platforms
from enrollment.models import EnrollmentSession
from enrollment.platforms import BuiltProfile

FILENAME = "management.mobileconfig"


class ApplePlatform:
    """Enrolls iPhones, iPads and Macs with a profile of identity and management payloads."""

    platforms = (Platform.IPHONE.value, Platform.IPAD.value, Platform.MAC.value)

    def not_ready_reason(self, tenant: Tenant) -> str | None:
        """Without a push certificate there is no topic, and a profile's topic is for ever."""
        try:
            push_certificate.topic_for(tenant)
        except PushNotConfigured:
            return _(
                "Registration of Apple devices is not enabled yet. Ask the people who invited you."
            )
        return None

    def build_profile(
        self, *, session: EnrollmentSession, challenge: str, language: str
    ) -> BuiltProfile:
        """Build and sign the profile of one attempt. Four queries, for keys and topic.

        Raises PushNotConfigured and KeyMissing rather than return one that is not signed.
        """
        tenant = session.tenant
        authority = keys.current(tenant, KeyPurpose.DEVICE_CA)
        signer = keys.current(tenant, KeyPurpose.PROFILE_SIGNER)
        unsigned = profile.build(
            profile.EnrollmentProfile(
                tenant_id=tenant.pk,
                profile_uuid=ids.uuid7(),
                texts=_texts(tenant, language),
                is_mac=session.platform == Platform.MAC,
                server_url=_address("apple-connect"),
                checkin_url=_address("apple-checkin"),
                scep_url=_address("apple-scep", tenant.slug),
                challenge=challenge,
                topic=push_certificate.topic_for(tenant),
                identity_ca=authority.certificate.public_bytes(Encoding.DER),
                trust=_trust(),
            )
        )
        content = cms.sign_attached(
            unsigned,
            certificate=signer.certificate,
            key=signer.key,
            chain=signer.chain,
            signing_time=clock.now(),
        )
        return BuiltProfile(
            content=content,
            identifier=profile.identifier(tenant.pk),
            content_type=profile.CONTENT_TYPE,
            filename=FILENAME,
        )


def register() -> None:
    platforms.register(ApplePlatform())


def _address(name: str, *args: str) -> str:
    return f"{settings.MUSTER_PUBLIC_URL}{reverse(name, args=args)}"


def _trust() -> list[bytes]:
    """The roots (DER) that devices need to reach a server with a private TLS chain."""
    if not settings.MUSTER_TLS_ROOTS_FILE:
        return []
    pem = Path(settings.MUSTER_TLS_ROOTS_FILE).read_bytes()
    return [root.public_bytes(Encoding.DER) for root in x509.load_pem_x509_certificates(pem)]


def _texts(tenant: Tenant, language: str) -> profile.ProfileTexts:
    with translation.override(language):
        return profile.ProfileTexts(
            profile_name=_("Management by %(organisation)s") % {"organisation": tenant.name},
            description=_(
                "Lets %(organisation)s set up and protect this device. You can remove it in"
                " Settings."
            )
            % {"organisation": tenant.name},
            organization=tenant.name,
            identity_name=_("Identity of this device"),
            certificate_name=_("Certificate of the server"),
            management_name=_("Device management"),
            consent=_consents(tenant),
        )


def _consents(tenant: Tenant) -> dict[str, str]:
    """What the person agrees to, in every language that we speak; the device chooses."""
    consents = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            consents[language] = _(
                "%(organisation)s will see the model, serial number, system version and installed"
                " apps of this device, and can lock or erase it. Messages, photos, calls, browsing"
                " history and location stay private."
            ) % {"organisation": tenant.name}
    consents["default"] = consents[settings.LANGUAGE_CODE]
    return consents
