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


class GroupNameTaken(DomainError):
    code = "group_name_taken"
    status = 409
    message = _("There is a group of this name already.")

    def __init__(self) -> None:
        super().__init__(field="name")


class GroupFixed(DomainError):
    """A built-in group can be neither changed nor deleted."""

    code = "group_fixed"
    status = 409
    message = _("Built-in groups cannot be changed or deleted.")


class GroupNotManual(DomainError):
    code = "group_not_manual"
    status = 409
    message = _("A rule chooses who is in this group. Change the rule instead.")


class NotAllowedToAsk(DomainError):
    """A rule must not tell somebody what they may not see."""

    code = "not_allowed_to_ask"
    status = 403
    message = _("To make rules you must be allowed to see devices and people.")


class GroupInUse(DomainError):
    code = "group_in_use"
    status = 409

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            _("This group is used by: %(names)s. Change that first.") % {"names": ", ".join(names)}
        )


class TooManyGroups(DomainError):
    code = "too_many_groups"
    status = 409
    message = _("There are as many groups as allowed. Delete one first.")


class AttributeKeyTaken(DomainError):
    code = "attribute_key_taken"
    status = 409
    message = _("There is an attribute with this key already.")

    def __init__(self) -> None:
        super().__init__(field="key")


class AttributeInUse(DomainError):
    code = "attribute_in_use"
    status = 409

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            _("This attribute is used by: %(names)s. Change that first.")
            % {"names": ", ".join(names)}
        )


class TooManyAttributes(DomainError):
    code = "too_many_attributes"
    status = 409
    message = _("There are as many attributes as allowed. Delete one first.")


class AttributeValueInvalid(DomainError):
    code = "attribute_value_invalid"

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason, field=f"attr.{key}")
