"""Forms about people, access and settings."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import available_timezones

from allauth.account import forms as account
from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from accounts import planes
from accounts.access import PERMISSIONS
from accounts.models import Role, SavedView, TermsOfService, User, UserSettings
from accounts.services import mails, tenants, users
from core.history_filters import GROUPS
from core.models import Tenant
from core.views.actions import WordedForm, WordedModelForm, name_missing_fields

LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year")), ("", _("No end"))]


def _zones() -> list[tuple[str, str]]:
    names = sorted(name for name in available_timezones() if "/" in name and "Etc" not in name)
    return [(name, name.replace("_", " ")) for name in ["UTC", *names]]


class ZoneField(forms.ChoiceField):
    def __init__(self, *, empty_label=None, **options) -> None:
        first = [("", empty_label)] if empty_label else []
        super().__init__(choices=lambda: [*first, *_zones()], **options)
        self.widget.attrs["data-combobox"] = ""


class PlainFields:
    """Labels alone: no text inside the fields that disappears while typing, and no links between
    them; the pages say the rest."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            if name in ("password", "login"):
                field.help_text = ""
            if name in ("login", "email"):
                field.label = _("E-mail address")
        name_missing_fields(self)


class SignInForm(PlainFields, account.LoginForm): ...


class ReauthenticateForm(PlainFields, account.ReauthenticateForm): ...


class ResetPasswordForm(PlainFields, account.ResetPasswordForm):
    """Looks nobody up: the answer is the same for every address, and so is the work."""

    def clean_email(self) -> str:
        return users.normalise(self.cleaned_data["email"])

    def save(self, request, **kwargs) -> str:
        email = self.cleaned_data["email"]
        tenant = tenants.for_host(request.get_host()) or tenants.current()
        if tenant is not None:
            mails.queue_reset(tenant=tenant, email=email, audience=planes.audience_of(request))
        return email


class NewPasswordForm(PlainFields, account.ResetPasswordKeyForm): ...


class ChangePasswordForm(PlainFields, account.ChangePasswordForm): ...


class UserForm(WordedModelForm):
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("Like the organisation")), *settings.LANGUAGES],
    )
    time_zone = ZoneField(
        label=_("Time zone"), required=False, empty_label=_("Like the organisation")
    )

    class Meta:
        model = User
        fields: ClassVar = ["first_name", "last_name", "language", "time_zone"]


class NewUserForm(UserForm):
    """The address is no field of the model form: only the service may say that it is taken, since
    it must not tell by whom."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    field_order = ("email", "first_name", "last_name", "language", "time_zone")


class RolesForm(WordedForm):
    roles = forms.ModelMultipleChoiceField(
        label=_("Roles"),
        queryset=Role.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Somebody without a role can enroll devices, and nothing else."),
    )

    def __init__(self, *args, principal, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].queryset = Role.objects.visible_to(principal)


class OrganisationForm(WordedModelForm):
    time_zone = ZoneField(label=_("Time zone"))

    class Meta:
        model = Tenant
        fields: ClassVar = ["name", "language", "time_zone", "help_contact"]
        help_texts: ClassVar = {
            "name": _("Shown to people on the pages where they enroll, and on their devices."),
            "help_contact": _("Whom people ask when something does not work."),
        }


class PolicyForm(WordedModelForm):
    class Meta:
        model = UserSettings
        fields: ClassVar = [
            "require_pin",
            "pin_length",
            "pin_days",
            "may_request_pin",
            "invitation_days",
            "profile_minutes",
            "device_limit",
            "max_reminders",
            "network_accounts",
            "confirm_registration",
            "self_service_check_in",
            "self_service_lock",
            "self_service_retire",
            "self_service_wipe",
            "self_service_clear_passcode",
            "self_service_lost_mode",
        ]

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            limits = {type(one): one.limit_value for one in _limits(UserSettings, name)}
            if limits:
                low, high = limits[MinValueValidator], limits[MaxValueValidator]
                field.widget.attrs |= {"min": low, "max": high}
                between = _("%(low)s to %(high)s.") % {"low": low, "high": high}
                field.help_text = f"{between} {field.help_text}".strip()


def _limits(model: type[Model], name: str) -> list:
    """Return the validators that the model itself declares for a number."""
    return model._meta.get_field(name)._validators


class TokenForm(WordedForm):
    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("What will use it, for example “Inventory”.")
    )
    days = forms.ChoiceField(label=_("Valid for"), choices=LIFETIMES, required=False, initial="90")
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"), widget=forms.CheckboxSelectMultiple, choices=[]
    )

    def __init__(self, *args, owner: User, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [
            (name, label) for name, label in PERMISSIONS.items() if owner.has(name)
        ]


class TermsForm(WordedModelForm):
    class Meta:
        model = TermsOfService
        fields: ClassVar = ["title", "text", "is_asked"]
        widgets: ClassVar = {"text": forms.Textarea(attrs={"rows": 16})}
        help_texts: ClassVar = {
            "text": _("Plain text. An empty line begins a new paragraph."),
            "is_asked": _("Without it the version is kept here, and nobody is stopped by it."),
        }


class SavedViewForm(WordedModelForm):
    class Meta:
        model = SavedView
        fields: ClassVar = ["name", "is_shared", "is_default"]


KEPT = [
    ("", _("For ever")),
    ("6", _("6 months")),
    ("12", _("1 year")),
    ("24", _("2 years")),
    ("36", _("3 years")),
    ("60", _("5 years")),
    ("120", _("10 years")),
]


class RetentionForm(WordedForm):
    """How long the history is kept; `confirmed` carries the number of entries that was shown."""

    months = forms.TypedChoiceField(
        label=_("Keep the change history"),
        choices=KEPT,
        required=False,
        coerce=int,
        empty_value=None,
        help_text=_("Older entries are deleted for good, every hour."),
    )
    confirmed = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def clean_confirmed(self) -> int:
        return self.cleaned_data["confirmed"] or 0


class WebhookForm(WordedForm):
    name = forms.CharField(label=_("Name"), max_length=80)
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false"}),
        help_text=_("https, on the open internet unless the operator allows more."),
    )
    topics = forms.MultipleChoiceField(
        label=_("What it is told"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=GROUPS,
        help_text=_("Nothing chosen means everything."),
    )
