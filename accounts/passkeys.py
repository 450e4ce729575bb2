"""Forms of passkeys: what a browser hands over is read with the mistrust that it deserves."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.services.passkeys import MAX_NAME

MAX_CREDENTIAL = 20_000
MAX_PASSKEYS = 20
# What the parsers of the library raise at shapes that no browser makes.
MALFORMED = (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError)


def has_all_passkeys(user: User) -> bool:
    kept = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    return kept.count() >= MAX_PASSKEYS


def _refused() -> ValidationError:
    return ValidationError(
        _("The passkey was not accepted. Try again, or use another way."), code="passkey_refused"
    )


class CredentialField(forms.JSONField):
    """The answer of the browser: an object of a few kilobytes at most."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > MAX_CREDENTIAL:
            raise _refused()
        try:
            read = super().to_python(value)
        except (RecursionError, ValidationError) as error:
            raise _refused() from error
        if not isinstance(read, dict) or not isinstance(read.get("response"), dict):
            raise _refused()
        return read

    def bound_data(self, data: Any, initial: Any) -> Any:
        """An answer is good once: a page that is shown again carries none."""
        return None

    def prepare_value(self, value: Any) -> str:
        return ""


class NamedForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_NAME,
        help_text=_("By which you recognise it later, for example “My phone”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AddForm(webauthn.AddWebAuthnForm):
    """Only passkeys that check who holds them: such a one signs in without a password."""

    name = NamedForm.base_fields["name"]
    credential = CredentialField()
    passwordless = None

    def clean(self) -> dict[str, Any]:
        if "credential" not in self.cleaned_data:
            return self.cleaned_data
        try:
            return super().clean()
        except ValidationError as error:
            raise _refused() from error
        except MALFORMED as error:
            raise _refused() from error


class RenameForm(webauthn.EditWebAuthnForm):
    name = NamedForm.base_fields["name"]


class _ProofForm:
    """A signed challenge; whatever is wrong with it is told in the same words."""

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except MALFORMED as error:
            raise _refused() from error
        except ValidationError as error:
            if error.code == "too_many_login_attempts":
                raise
            raise _refused() from error


class SignInForm(_ProofForm, webauthn.LoginWebAuthnForm):
    credential = CredentialField()


class SecondStepForm(_ProofForm, webauthn.AuthenticateWebAuthnForm):
    credential = CredentialField()


class ConfirmForm(_ProofForm, webauthn.ReauthenticateWebAuthnForm):
    credential = CredentialField()
