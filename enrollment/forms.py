"""Forms of the portal about invitations."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.forms import NewUserForm
from accounts.models import UserSettings
from core.views.actions import WordedForm
from devices.models import Ownership
from enrollment import addresses

MAX_TEXT = 20_000


def ownership_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("Whose device it will be"),
        choices=Ownership.choices,
        initial=Ownership.NOT_SET,
        required=False,
        help_text=_("The person reads it before the profile is installed."),
    )


class InviteForm(WordedForm):
    """Who is invited, in which language, and whether everybody is asked for a PIN."""

    emails = forms.CharField(
        label=_("E-mail addresses"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(
            attrs={"rows": 4, "inputmode": "email", "spellcheck": "false", "autocomplete": "off"}
        ),
        help_text=_("One or several, separated by spaces, commas or lines."),
        error_messages={"required": _("Enter at least one e-mail address.")},
    )
    language = forms.ChoiceField(
        label=_("Language of the mail"),
        required=False,
        choices=[("", _("Each person's own")), *settings.LANGUAGES],
    )
    ownership = ownership_field()
    with_pin = forms.BooleanField(
        label=_("Ask everybody for a PIN"),
        required=False,
        help_text=_("People without a password get a PIN in any case."),
    )

    def __init__(self, *args, policy: UserSettings, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if policy.require_pin:
            del self.fields["with_pin"]

    def clean_emails(self) -> list[str]:
        found = addresses.split(self.cleaned_data["emails"])
        if not found:
            raise forms.ValidationError(_("Enter at least one e-mail address."))
        return found

    @property
    def arguments(self) -> dict:
        """Return what the service wants; no choice leaves the PIN to the policy."""
        wanted = dict(self.cleaned_data)
        wanted["with_pin"] = True if wanted.get("with_pin") else None
        wanted["ownership"] = wanted["ownership"] or None
        return wanted


class NewPersonForm(NewUserForm):
    """Somebody new, invited right away unless that is switched off."""

    is_invited = forms.BooleanField(
        label=_("Send the invitation now"), required=False, initial=True
    )
    ownership = ownership_field()
    field_order = (*NewUserForm.field_order, "is_invited", "ownership")

    def __init__(self, *args, may_invite: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not may_invite:
            del self.fields["is_invited"], self.fields["ownership"]

    @property
    def arguments(self) -> dict:
        """Return what the service wants."""
        wanted = {"is_invited": False, **self.cleaned_data}
        wanted["ownership"] = wanted.get("ownership") or None
        return wanted


class RevokeForm(WordedForm):
    reason = forms.CharField(
        label=_("Reason"), max_length=300, required=False, help_text=_("Kept in the history.")
    )
