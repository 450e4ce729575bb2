"""Forms of the device actions."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.views.actions import WordedForm, WordedModelForm
from devices.errors import StrangerAssigned
from devices.models import CleanupRule, Device, Ownership, Platform
from devices.services.actions import MAX_MESSAGE, MAX_NAME, MAX_PHONE

MAX_REASON = 500
MAX_FOOTNOTE = 200
RETURN_SINCE = 17
OBLITERATION = (
    ("Default", _("Erase the contents; if that fails, the whole disk")),
    ("DoNotObliterate", _("Erase the contents; if that fails, leave the Mac as it is")),
    ("ObliterateWithWarning", _("Erase the contents; if that fails, say so and erase the disk")),
    ("Always", _("Erase the whole disk at once, the system too")),
)


class ActionForm(WordedForm):
    """The parameters of an action, for one device or, without `device`, for many.

    `user` is who asks. A form of an action adds its fields, and takes away those that do not fit.
    """

    def __init__(
        self,
        data: Any = None,
        *args: Any,
        device: Device | None = None,
        user: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, *args, **kwargs)
        self.device, self.user = device, user

    def params(self) -> dict[str, Any]:
        """Return what the service of the action is called with; only for a valid form."""
        return dict(self.cleaned_data)


class ReasonForm(ActionForm):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        required=False,
        help_text=_("Kept in the history, for whoever asks later."),
    )


class LockForm(ReasonForm):
    message = forms.CharField(
        label=_("Message on the lock screen"),
        max_length=MAX_MESSAGE,
        required=False,
        help_text=_("For example how to give the device back."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    phone = forms.CharField(
        label=_("Phone number on the lock screen"),
        max_length=MAX_PHONE,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    field_order = ("message", "phone", "reason")


class WhyForm(ActionForm):
    """For what is personal to somebody: without a reason it is not done."""

    reason = forms.CharField(
        label=_("Reason"), max_length=MAX_REASON, help_text=_("Kept in the history.")
    )


class RestartForm(ReasonForm):
    notify_user = forms.BooleanField(
        label=_("Let the person at the Mac save their work first"), required=False, initial=True
    )
    field_order = ("notify_user", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.device is not None and self.device.platform != Platform.MAC:
            del self.fields["notify_user"]


class LostModeForm(LockForm):
    footnote = forms.CharField(
        label=_("Small print on the screen"),
        max_length=MAX_FOOTNOTE,
        required=False,
        help_text=_("For example the name of the organisation."),
    )
    field_order = ("message", "phone", "footnote", "reason")


class RenameForm(ReasonForm):
    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.device is not None:
            self.fields["name"].initial = self.device.name


class AssignForm(ReasonForm):
    """The person is named by e-mail address, among those whom the asker may see."""

    person = forms.EmailField(
        label=_("E-mail address of the person"),
        required=False,
        help_text=_("Leave empty if the device is nobody's."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("person", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.device is not None and self.device.user is not None:
            self.fields["person"].initial = self.device.user.email

    def clean_person(self) -> User | None:
        email = self.cleaned_data["person"]
        if not email:
            return None
        people = User.objects.visible_to(self.user).filter(is_active=True)
        found = people.filter(email__iexact=email).first()
        if found is None:
            raise forms.ValidationError(StrangerAssigned().message)
        return found


class OwnershipForm(ReasonForm):
    ownership = forms.ChoiceField(label=_("Ownership"), choices=Ownership.choices)
    field_order = ("ownership", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.device is not None:
            self.fields["ownership"].initial = self.device.ownership


class WipeForm(ActionForm):
    """The service compares the typed name again; the browser's word is not enough."""

    confirmation = forms.CharField(
        label=_("Type the name of the device"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=MAX_REASON, help_text=_("Kept in the history.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.device is None:
            # Many devices have no common name: whoever orders for many confirms otherwise.
            del self.fields["confirmation"]
            return
        self.fields["confirmation"].help_text = _("Exactly as here: %(name)s") % {
            "name": self.device.label
        }


class WipeOptionsForm(WipeForm):
    """Offers what the platform knows; for many devices everything, each takes what it knows."""

    erase_data_plan = forms.BooleanField(
        label=_("Erase the mobile data plan too"),
        required=False,
        help_text=_("An eSIM is gone then, and the operator has to make it anew."),
    )
    return_to_service = forms.BooleanField(
        label=_("Set the device up again by itself"),
        required=False,
        help_text=_(
            "From iOS and iPadOS 17. It needs a network by cable, or a Wi-Fi profile given through "
            "the API, and comes back only if Apple Business Manager knows the device."
        ),
    )
    obliteration_behavior = forms.ChoiceField(
        label=_("How the Mac is erased"), choices=OBLITERATION, required=False
    )
    # The field of each option of the service.
    OPTIONS: ClassVar = {
        "preserve_data_plan": "erase_data_plan",
        "return_to_service": "return_to_service",
        "obliteration_behavior": "obliteration_behavior",
    }
    field_order = ("erase_data_plan", "return_to_service", "obliteration_behavior")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.device is None:
            return
        known = options_of(self.device)
        for option, field in self.OPTIONS.items():
            if option not in known:
                del self.fields[field]

    def params(self) -> dict[str, Any]:
        cleaned = dict(self.cleaned_data)
        options = {
            option: cleaned.pop(field) for option, field in self.OPTIONS.items() if field in cleaned
        }
        if "preserve_data_plan" in options:
            options["preserve_data_plan"] = not options["preserve_data_plan"]
        options = {option: value for option, value in options.items() if value != ""}
        return cleaned | {"options": options}


def options_of(device: Device) -> frozenset[str]:
    """Return which options a wipe of the device has."""
    if device.platform == Platform.MAC:
        return frozenset({"obliteration_behavior"})
    if device.platform not in (Platform.IPHONE, Platform.IPAD):
        return frozenset()
    major = device.os_version.partition(".")[0]
    is_new = not major.isdecimal() or int(major) >= RETURN_SINCE
    return frozenset({"preserve_data_plan"} | ({"return_to_service"} if is_new else set()))


class CleanupForm(WordedModelForm):
    class Meta:
        model = CleanupRule
        fields: ClassVar = ["days", "limit", "schedule"]
        help_texts: ClassVar = {
            "days": _("1 to 365: how long an entry has been like this before it is taken."),
            "limit": _("The rest waits for the next run."),
        }
