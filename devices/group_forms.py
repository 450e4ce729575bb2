"""Forms of the actions that put devices into groups and set their attributes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.errors import AttributeValueInvalid
from accounts.models import AttributeDefinition, AttributeOwner
from accounts.services import attributes
from devices.forms import ActionForm
from devices.models import DeviceGroup

SEARCHED = {"data-combobox": ""}


class GroupForm(ActionForm):
    group = forms.ModelChoiceField(
        label=_("Group"),
        queryset=DeviceGroup.objects.none(),
        widget=forms.Select(attrs=SEARCHED),
        help_text=_("Only manual groups take members by hand."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.user is not None:
            manual = DeviceGroup.objects.visible_to(self.user).manual()
            self.fields["group"].queryset = manual


class AttributeForm(ActionForm):
    attribute = forms.ModelChoiceField(
        label=_("Attribute"),
        queryset=AttributeDefinition.objects.none(),
        widget=forms.Select(attrs=SEARCHED),
    )
    value = forms.CharField(
        label=_("Value"),
        required=False,
        max_length=attributes.MAX_TEXT,
        help_text=_("Empty clears it. Yes or no: true or false. Days: 2026-01-31."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.user is not None:
            rows = AttributeDefinition.objects.visible_to(self.user)
            own = rows.filter(owner_kind=AttributeOwner.DEVICE)
            self.fields["attribute"].queryset = own

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("attribute") is not None:
            try:
                attributes.read(cleaned["attribute"], cleaned.get("value", ""))
            except AttributeValueInvalid as error:
                self.add_error("value", str(error.message))
        return cleaned
