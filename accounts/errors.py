"""What the accounts app refuses."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import DomainError


class AddressTaken(DomainError):
    """Also the answer for an address of another tenant: it must not tell which."""

    code = "address_taken"
    status = 409
    message = _("This e-mail address cannot be used here.")

    def __init__(self) -> None:
        super().__init__(field="email")


class NotAllowedToGrant(DomainError):
    code = "not_allowed_to_grant"
    status = 403
    message = _("You cannot give rights that you do not have yourself.")


class LastOwner(DomainError):
    code = "last_owner"
    status = 409
    message = _("At least one enabled owner must remain.")


class ForeignObject(DomainError):
    """Something that was named belongs to another tenant, or does not exist."""

    code = "unknown_object"
    message = _("Something in your request does not exist.")


class TermsAccepted(DomainError):
    code = "terms_accepted"
    status = 409
    message = _("Somebody accepted this version, so it is kept. Retire it instead.")


class TermsOutdated(DomainError):
    code = "terms_outdated"
    status = 409
    message = _("There is a newer version of the terms. Read and accept that one.")


class TermsMissing(DomainError):
    code = "terms_missing"
    status = 409
    message = _("Accept the terms of your organisation first.")
