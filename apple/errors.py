"""What the Apple room refuses, and the one decision that makes a device leave."""

from __future__ import annotations

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


class ManagementEnded(Exception):
    """A decision: this device is to remove its management profile (answered as 401).

    Not a DomainError on purpose: only the device views turn it into a 401, and only services
    that found an ended enrollment or a refused new one raise it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
