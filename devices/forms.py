"""Forms of the device actions."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from core.views.actions import WordedForm, WordedModelForm
from devices.models import CleanupRule, Device
from devices.services.actions import MAX_MESSAGE, MAX_PHONE

MAX_REASON = 500


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


class CleanupForm(WordedModelForm):
    class Meta:
        model = CleanupRule
        fields: ClassVar = ["days", "limit", "schedule"]
        help_texts: ClassVar = {
            "days": _("1 to 365: how long an entry has been like this before it is taken."),
            "limit": _("The rest waits for the next run."),
        }
