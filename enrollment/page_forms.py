"""Forms of the registration pages, for thumbs, pasting and password managers."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

MAX_SECRET = 1024


class PinForm(forms.Form):
    pin = forms.CharField(
        label=_("PIN"),
        help_text=_("The digits in the mail that we sent you. Spaces do not matter."),
        max_length=64,
        error_messages={"required": _("Enter the PIN from the mail that we sent you.")},
        widget=forms.TextInput(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "spellcheck": "false",
                "class": "g-pin",
            }
        ),
    )


class PasswordForm(forms.Form):
    """For somebody whose link says who it is."""

    password = forms.CharField(
        label=_("Your password"),
        help_text=_("The password of your account in this organisation's device service."),
        max_length=MAX_SECRET,
        strip=False,
        error_messages={"required": _("Enter your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def _email() -> forms.CharField:
    # Not an EmailField: what is no address gets the same answer as an unknown one.
    return forms.CharField(
        label=_("Your e-mail address"),
        max_length=254,
        error_messages={"required": _("Enter your e-mail address.")},
        widget=forms.EmailInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


class SignInForm(forms.Form):
    """For somebody who typed the short address."""

    email = _email()
    password = forms.CharField(
        label=_("Your password, or the PIN from our mail"),
        max_length=MAX_SECRET,
        strip=False,
        error_messages={"required": _("Enter your password, or the PIN from our mail.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PinRequestForm(forms.Form):
    email = _email()


class TermsForm(forms.Form):
    """`terms` names the version that was shown, which is the one that is accepted."""

    terms = forms.UUIDField(widget=forms.HiddenInput)
    accepted = forms.BooleanField(
        label=_("I have read these terms and accept them"),
        error_messages={"required": _("Tick the box to accept the terms.")},
    )


class ChoosePasswordForm(forms.Form):
    password1 = forms.CharField(
        label=_("New password"),
        max_length=MAX_SECRET,
        strip=False,
        error_messages={"required": _("Choose a password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("The same password again"),
        max_length=MAX_SECRET,
        strip=False,
        error_messages={"required": _("Type the password again.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
