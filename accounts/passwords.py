"""What a password may not be."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MAX_LENGTH = 256


class ContextPasswordValidator:
    """Refuses passwords that are too long to hash cheaply, only digits like a PIN, or our name."""

    def validate(self, password: str, user=None) -> None:
        if len(password) > MAX_LENGTH:
            raise ValidationError(
                _("The password is longer than %(limit)d characters.") % {"limit": MAX_LENGTH},
                code="password_too_long",
            )
        if password.replace(" ", "").replace("-", "").isdigit():
            raise ValidationError(
                _("The password must not consist of digits only."), code="password_digits_only"
            )
        organisation = getattr(getattr(user, "tenant", None), "name", "")
        plain = password.casefold()
        if "muster" in plain or (len(organisation) > 3 and organisation.casefold() in plain):
            raise ValidationError(
                _("The password must not contain the name of the organisation or of this service."),
                code="password_contextual",
            )

    def get_help_text(self) -> str:
        return _("It must not consist of digits only, nor contain the organisation's name.")
