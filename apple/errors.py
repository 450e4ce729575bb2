"""What the Apple room refuses, and the one decision that makes a device leave."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.errors import DomainError


class IdentityMissing(DomainError):
    """Neither a signature nor a client certificate came with the request."""

    code = "identity_missing"
    status = 403
    message = "A signature or a client certificate is required."


class SignatureInvalid(DomainError):
    """The signature, or what was handed on as a client certificate, does not hold."""

    code = "signature_invalid"
    message = "The signature is not valid."


class IdentityRefused(DomainError):
    """The certificate is not one of ours, or not any more."""

    code = "identity_refused"
    message = "This certificate is not accepted."


class UnknownIdentity(DomainError):
    """The certificate was never bound to an enrollment, or may not be bound to this one."""

    code = "unknown_identity"
    message = "This certificate speaks for no enrollment."


class IdentityMismatch(DomainError):
    """The certificate belongs to another device than the message names."""

    code = "identity_mismatch"
    message = "This certificate belongs to another device."


class StaleIdentity(DomainError):
    """A newer certificate, or a newer enrollment, has taken the place of this one."""

    code = "stale_identity"
    message = "This certificate has been replaced."


class ForeignCommand(DomainError):
    """A device answered a command that was given to another device."""

    code = "foreign_command"
    message = "This command belongs to another device."


class CommandRefused(DomainError):
    """The device's system does not know the command, or not with these parameters."""

    code = "command_refused"
    status = 409
    message = _("This device cannot be given that order.")


class UserNotManaged(DomainError):
    """This user of a Mac is not managed; the device stops asking until the next login."""

    code = "user_not_managed"
    status = 410
    message = "This user is not managed."


class NotOffered(DomainError):
    """The service that a device asks for is not offered here."""

    code = "not_offered"
    status = 404
    message = "This service is not offered."


class PushNotConfigured(DomainError):
    """Without a push certificate there is no topic, and without a topic no enrollment."""

    code = "push_not_configured"
    status = 409
    message = _("There is no push certificate yet. Install one in the settings first.")


class PushCertificateUnusable(DomainError):
    """`reason` is a code of `apple.protocol.push_certificate`, expired or not_yet_valid."""

    code = "push_certificate_unusable"
    reasons = {
        "too_large": _("The file is too large to be a certificate."),
        "unreadable": _("This file is not a certificate. Upload the .pem file of Apple's portal."),
        "is_request": _("This is the signing request. Upload what Apple's portal made from it."),
        "no_topic": _("This is not a push certificate for device management."),
        "expired": _("This certificate has expired. Renew it in Apple's portal."),
        "not_yet_valid": _("This certificate is not valid yet. Check the clock of this server."),
    }

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(str(self.reasons[reason]), field="certificate")


class PushKeyMismatch(DomainError):
    code = "push_key_mismatch"
    message = _(
        "This certificate was not made from a signing request of this organisation. Download the"
        " request again and use it in Apple's portal."
    )

    def __init__(self) -> None:
        super().__init__(field="certificate")


class PushCertificateKnown(DomainError):
    code = "push_certificate_known"
    status = 409
    message = _("This certificate is installed already, or was replaced by a newer one.")

    def __init__(self) -> None:
        super().__init__(field="certificate")


class TopicChange(DomainError):
    """The new certificate cannot reach `count` enrolled devices."""

    code = "topic_change"
    status = 409

    def __init__(self, *, count: int) -> None:
        self.count = count
        message = ngettext(
            "This certificate has another topic. %(count)d device would have to enroll again once"
            " the present certificate ends. Renew the present certificate instead, or type the"
            " organisation's name to install this one.",
            "This certificate has another topic. %(count)d devices would have to enroll again once"
            " the present certificate ends. Renew the present certificate instead, or type the"
            " organisation's name to install this one.",
            count,
        )
        super().__init__(message % {"count": count}, field="confirmation")


class ManagementEnded(Exception):
    """A decision: this device is to remove its management profile (answered as 401).

    Not a DomainError on purpose: only the device views turn it into a 401, and only services
    that found an ended enrollment or a refused new one raise it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
